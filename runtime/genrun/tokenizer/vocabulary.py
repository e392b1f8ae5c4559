"""Builds a tokenizer from documents: counts words, sorts and limits the vocabulary, learns how words are written."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.tokenizer.counting import HELD, CountedWord, WordCounts
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
    """The settings of a tokenizer, all but its vocabulary, which comes from the corpus.

    ``vocabulary_limit``: the most entries besides ``<pad>`` (other special tokens count), 0 for no limit.
    ``minimum_count``: rarer words are left out. Raises OptionError for a value that is not accepted.
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
    """Counts the words of documents in one pass, then builds the tokenizer.

    Besides the vocabulary, it holds at most ``held`` different words and their written forms in memory. The others go
    to temporary files, which the end of a ``with`` block removes.

    >>> with VocabularyBuilder(TokenizerSettings(specials=("pad",))) as builder:
    ...     for document in ("a rose is a rose", "is it"):
    ...         builder.add(document)
    ...     builder.build().vocabulary
    ('<pad>', 'a', 'rose', 'is', 'it')
    """

    def __init__(self, settings: TokenizerSettings, *, held: int = HELD) -> None:
        self.settings = settings
        self.documents = 0
        self.words = 0  # or characters, of the documents that were added
        self.passed_over = 0  # of those that were passed over
        self.distinct = 0  # different words, without special tokens; known after build()
        self._by_count: Counter[int] = Counter()  # number of words by their count; known after build()
        self._normalization = Normalization(settings.normalization)
        self._learn_case = settings.kind == "word" and self._normalization.lowercases
        self._counts = WordCounts(held, lowercase=self._learn_case)
        self._capitalized = 0
        self._learnt = 0  # documents that were added

    def __enter__(self) -> VocabularyBuilder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary files, if there are any."""
        self._counts.close()

    def add(self, document: str) -> None:
        """Count the words of one document; raises OSError if there is no room for a temporary file."""
        if self._learn_case:
            self._add_cased(document)
        else:
            words = self._split(self._normalization(document))
            self._counts.add(words)
            self.words += len(words)
        self.documents += 1
        self._learnt += 1

    def pass_over(self, document: str) -> None:
        """Count how many words a document has that the vocabulary does not learn from."""
        self.passed_over += len(self._split(self._normalization(document)))
        self.documents += 1

    def _add_cased(self, document: str) -> None:
        written = self._split(self._normalization.with_case(document))
        if self._normalization.case_blind and document.isascii():
            self._counts.add(written)
            self._capitalized += bool(written) and written[0] != written[0].lower()
            self.words += len(written)
            return
        words = self._split(self._normalization(document))
        self.words += len(words)
        if len(words) == len(written):
            self._counts.add(zip(words, written, strict=True))
            self._capitalized += bool(written) and written[0] != words[0]
        else:  # a letter with a longer lower case moved a word boundary: learn no written forms
            self._counts.add(zip(words, words, strict=True))

    def build(self) -> Tokenizer:
        """Return the tokenizer: words by falling frequency, ties by first appearance, within the limits."""
        specials = check_specials(self.settings.specials)
        texts = [SPECIALS[name] for name in specials]
        room = self.settings.vocabulary_limit - len([name for name in specials if name != "pad"])
        candidates = self._candidates(frozenset(texts))
        words = heapq.nsmallest(room, candidates) if self.settings.vocabulary_limit else sorted(candidates)
        written = [(text, text) for text in texts] + [(entry.word, entry.written) for entry in words]
        return Tokenizer(
            kind=self.settings.kind,
            split_on=self.settings.split_on,
            normalization=self._normalization,
            specials=specials,
            vocabulary=[word for word, _ in written],
            written=self._written_forms(written) if self._learn_case else None,
        )

    def words_for(self, percent: int) -> int:
        """Return the number of most frequent words that cover ``percent`` of all words; after :meth:`build`."""
        left, needed = -(-self.words * percent // 100), 0
        for count, words in sorted(self._by_count.items(), reverse=True):
            taken = min(words, -(-left // count))
            left, needed = left - taken * count, needed + taken
            if left <= 0:
                break
        return needed

    def _candidates(self, texts: frozenset[str]) -> Iterator[CountedWord]:
        self.distinct = 0
        self._by_count.clear()
        for entry in self._counts.merged():
            if entry.word not in texts:
                self.distinct += 1
                self._by_count[-entry.falling] += 1
                if -entry.falling >= self.settings.minimum_count:
                    yield entry

    def _split(self, normalized: str) -> list[str]:
        return split(normalized, self.settings.kind, self.settings.split_on)

    def _written_forms(self, vocabulary: list[tuple[str, str]]) -> WrittenForms:
        forms, others = [], {}
        for token, (word, written) in enumerate(vocabulary):
            if written == word:
                forms.append(".")
            elif written == word[:1].title() + word[1:]:
                forms.append("C")
            elif written == word.upper():
                forms.append("U")
            else:
                forms.append("*")
                others[token] = written
        return WrittenForms("".join(forms), others, 2 * self._capitalized > self._learnt)
