"""From documents to a tokenizer: counts words, orders and limits the vocabulary, learns how words are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.tokenizer import (
    KINDS,
    SPECIALS,
    SPLITS,
    Tokenizer,
    WrittenForms,
    check_specials,
    split,
)

__all__ = ["TokenizerSettings", "VocabularyBuilder"]


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """What a tokenizer is to be like; its vocabulary comes from the corpus.

    ``vocabulary_limit``: the most entries besides ``<pad>`` (other special tokens count), 0 for no limit.
    ``minimum_count``: rarer words are left out. Raises OptionError for what is not accepted.
    """

    kind: str = "word"
    split_on: str = "whitespace"
    normalization: tuple[Mapping[str, str], ...] = ()
    specials: tuple[str, ...] = ("pad", "unk", "start", "end")
    vocabulary_limit: int = 0
    minimum_count: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"tokenizer kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.split_on not in SPLITS:
            raise OptionError(f"split_on must be one of {', '.join(SPLITS)}, not {self.split_on!r}")
        if self.vocabulary_limit < 0 or self.minimum_count < 1:
            raise OptionError("vocabulary_limit must be 0 (no limit) or more, and minimum_count 1 or more")
        besides_pad = [name for name in check_specials(self.specials) if name != "pad"]
        if 0 < self.vocabulary_limit <= len(besides_pad):
            raise OptionError(
                f"vocabulary_limit {self.vocabulary_limit} leaves no room for words beside the special tokens"
            )
        Normalization(self.normalization)


class VocabularyBuilder:
    """Counts the words of documents, one pass, then builds the tokenizer.

    >>> builder = VocabularyBuilder(TokenizerSettings(specials=("pad",)))
    >>> for document in ("a rose is a rose", "is it"):
    ...     builder.add(document)
    >>> builder.build().vocabulary
    ('<pad>', 'a', 'rose', 'is', 'it')
    """

    def __init__(self, settings: TokenizerSettings) -> None:
        self.settings = settings
        self.documents = 0
        self.counts: Counter[str] = Counter()
        self._normalization = Normalization(settings.normalization)
        self._learn_case = settings.kind == "word" and self._normalization.lowercases
        self._written: dict[str, Counter[str]] = {}
        self._capitalized = 0

    @property
    def words(self) -> int:
        """How many words (or characters) have been counted."""
        return self.counts.total()

    def add(self, document: str) -> None:
        """Count the words of one document."""
        words = self._split(self._normalization(document))
        self.documents += 1
        self.counts.update(words)
        if self._learn_case:
            self._learn(words, self._split(self._normalization.with_case(document)))

    def build(self) -> Tokenizer:
        """Return the tokenizer: words by falling frequency, ties by first appearance, within the limits."""
        specials = check_specials(self.settings.specials)
        texts = [SPECIALS[name] for name in specials]
        words = [
            word
            for word, count in self.counts.most_common()
            if count >= self.settings.minimum_count and word not in texts
        ]
        if self.settings.vocabulary_limit:
            words = words[: self.settings.vocabulary_limit - len([n for n in specials if n != "pad"])]
        vocabulary = texts + words
        return Tokenizer(
            kind=self.settings.kind,
            split_on=self.settings.split_on,
            normalization=self._normalization,
            specials=specials,
            vocabulary=vocabulary,
            written=self._written_forms(vocabulary) if self._learn_case else None,
        )

    def _split(self, normalized: str) -> list[str]:
        return split(normalized, self.settings.kind, self.settings.split_on)

    def _learn(self, words: list[str], written: list[str]) -> None:
        if len(words) != len(written):  # a letter whose lower case is longer moved a boundary: nothing to learn here
            return
        self._capitalized += bool(written) and written[0] != words[0]
        for word, form in zip(words, written, strict=True):
            if form != word:
                self._written.setdefault(word, Counter())[form] += 1

    def _written_forms(self, vocabulary: list[str]) -> WrittenForms:
        forms, others = [], {}
        for token, word in enumerate(vocabulary):
            seen = self._written.get(word)
            form, count = seen.most_common(1)[0] if seen else (word, 0)
            as_is = self.counts[word] - (seen.total() if seen else 0)
            if not seen or as_is >= count:
                forms.append(".")
            elif form == word[:1].title() + word[1:]:
                forms.append("C")
            elif form == word.upper():
                forms.append("U")
            else:
                forms.append("*")
                others[token] = form
        return WrittenForms("".join(forms), others, 2 * self._capitalized > self.documents)
