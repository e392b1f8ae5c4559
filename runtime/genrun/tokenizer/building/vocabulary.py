"""Builds a tokenizer from documents: counts words, sorts and limits the vocabulary, learns how words are written."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from genrun.errors import OptionError
from genrun.tokenizer.building.beginnings import beginnings
from genrun.tokenizer.building.counting import BEGINS, HELD, CountedWord, WordCounts
from genrun.tokenizer.kinds import SPECIALS, check_specials
from genrun.tokenizer.line_breaks import LINE_BREAK, line_starts, split_text
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.settings import TokenizerSettings
from genrun.tokenizer.subwords.byte_letters import LETTERS
from genrun.tokenizer.subwords.encoder import Merge
from genrun.tokenizer.tokenizer import Tokenizer
from genrun.tokenizer.words.written_forms import FORMS, WrittenForms

__all__ = ["SUBWORDS", "LearnMerges", "VocabularyBuilder", "subwords_for"]

SUBWORDS = (512, 8_000)  # the fewest and most entries, if no vocabulary_limit is given
_BYTES = len(LETTERS)


class LearnMerges(Protocol):
    """Learns up to ``most`` merges of subwords from words with their counts, the first to be applied first.

    The words may be iterated more than once. ``minimum_count``: of a pair that is merged. ``length``: the bytes of
    all words together.
    """

    def __call__(
        self, word_counts: Iterable[tuple[str, int]], most: int, /, *, minimum_count: int, length: int
    ) -> list[Merge]:
        """Return the merges."""


def subwords_for(length: int) -> int:
    """Return how many subwords suit a corpus of ``length`` bytes: three times the square root, within SUBWORDS.

    >>> subwords_for(1_000), subwords_for(1_000_000), subwords_for(100_000_000)
    (512, 3000, 8000)
    """
    fewest, most = SUBWORDS
    return min(max(3 * math.isqrt(length), fewest), most)


class VocabularyBuilder:
    """Counts the words of documents in one pass, then builds the tokenizer.

    Besides the vocabulary, it holds at most ``held`` different words and their written forms in memory. The others go
    to temporary files, which the end of a ``with`` block removes. ``learn``: what learns the merges of subwords.

    >>> with VocabularyBuilder(TokenizerSettings(specials=("pad",))) as builder:
    ...     for document in ("a rose is a rose", "is it"):
    ...         builder.add(document)
    ...     builder.build().vocabulary
    ('<pad>', 'a', 'rose', 'is', 'it')
    """

    def __init__(self, settings: TokenizerSettings, *, held: int = HELD, learn: LearnMerges | None = None) -> None:
        self.settings = settings
        self._learn = learn
        self.documents = 0
        self.words = 0  # or characters, of the documents that were added
        self.passed_over = 0  # of those that were passed over
        self.distinct = 0  # different words, without special tokens; known after build()
        self._by_count: Counter[int] = Counter()  # number of words by their count; known after build()
        self._normalization = Normalization(settings.normalization)
        self._learn_case = settings.kind == "word" and self._normalization.lowercases
        self._counts = WordCounts(held, lowercase=self._learn_case)
        self._breaks = 2 if settings.line_breaks and settings.kind == "word" else 0  # in a row
        self._capitalized = 0
        self._length = 0  # bytes, of subwords
        self._begun = 0  # documents that were added, or their lines

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
            words = self._split(document, self._normalized)
            self._counts.add(words)
            self.words += len(words)
        self.documents += 1

    def _normalized(self, text: str) -> str:
        normalized = self._normalization(text)
        if self.settings.kind == "bpe":
            self._length += len(normalized.encode(errors="surrogatepass"))
        return normalized

    def pass_over(self, document: str) -> None:
        """Count how many words a document has that the vocabulary does not learn from."""
        self.passed_over += len(self._split(document, self._normalization))
        self.documents += 1

    def _add_cased(self, document: str) -> None:
        written = self._split(document, self._normalization.with_case)
        words = None
        if not (self._normalization.case_blind and document.isascii()):
            words = self._split(document, self._normalization)
            if len(words) != len(written):  # a letter with a longer lower case moved a word boundary
                self.words += len(words)
                self._counts.add(zip(words, words, strict=True))  # learn no written forms
                self._begun += 1
                return
        self._note_beginnings(written, words)
        for at in beginnings(written, document):
            written[at] = BEGINS + written[at]
        self._counts.add(written if words is None else zip(words, written, strict=True))
        self.words += len(written)

    def _note_beginnings(self, written: list[str], words: list[str] | None) -> None:
        """Count whether a document, or each of its lines, begins with a capital letter; ``words`` are lower-cased."""
        begins = line_starts(written) if self._breaks else range(min(len(written), 1))
        lowered = [written[place].lower() if words is None else words[place] for place in begins]
        self._capitalized += sum(written[place] != word for place, word in zip(begins, lowered, strict=True))
        self._begun += max(len(lowered), 1)

    def build(self) -> Tokenizer:
        """Return the tokenizer: words by falling frequency, ties by first appearance, within the limits.

        Of subwords: all bytes, then what the merges make of them, in order. Raises OptionError without ``learn``.
        """
        if self.settings.kind == "bpe":
            return self._build_subwords()
        specials = check_specials(self.settings.specials)
        texts = [SPECIALS[name] for name in specials]
        room = self.settings.vocabulary_limit - len([name for name in specials if name != "pad"])
        candidates = self._candidates(frozenset(texts), self.settings.minimum_count)
        key = _line_break_first if self._breaks else None
        limited = self.settings.vocabulary_limit > 0
        words = heapq.nsmallest(room, candidates, key) if limited else sorted(candidates, key=key)
        written = [(text, text) for text in texts] + [(entry.word, entry.written) for entry in words]
        return Tokenizer(
            kind=self.settings.kind,
            split_on=self.settings.split_on,
            normalization=self._normalization,
            specials=specials,
            vocabulary=[word for word, _ in written],
            written=self._written_forms(written) if self._learn_case else None,
            line_breaks=bool(self._breaks),
        )

    def _build_subwords(self) -> Tokenizer:
        if self._learn is None:
            raise OptionError("subwords are learnt by genrun train; a vocabulary of words needs kind=word")
        specials = check_specials(self.settings.specials)
        limit = self.settings.vocabulary_limit or subwords_for(self._length)
        most = limit - _BYTES - len([name for name in specials if name != "pad"])
        for _ in self._candidates(frozenset(), 1):  # counts the distinct words
            pass
        merges = self._learn(
            _Counted(self._counts),
            most,
            minimum_count=max(self.settings.minimum_count, 2),
            length=self._length,
        )
        learnt = dict.fromkeys([*LETTERS, *(left + right for left, right in merges)])
        return Tokenizer(
            kind="bpe",
            normalization=self._normalization,
            specials=specials,
            vocabulary=[*(SPECIALS[name] for name in specials), *learnt],
            merges=merges,
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

    def _candidates(self, texts: frozenset[str], minimum_count: int) -> Iterator[CountedWord]:
        self.distinct = 0
        self._by_count.clear()
        for entry in self._counts.merged():
            if entry.word not in texts:
                self.distinct += 1
                self._by_count[-entry.falling] += 1
                if -entry.falling >= minimum_count or (self._breaks and entry.word == LINE_BREAK):
                    yield entry

    def _split(self, document: str, normalize: Callable[[str], str]) -> list[str]:
        return split_text(document, normalize, self.settings.kind, self.settings.split_on, self._breaks)

    def _written_forms(self, vocabulary: list[tuple[str, str]]) -> WrittenForms:
        forms, others = [], {}
        for token, (word, written) in enumerate(vocabulary):
            forms.append(next((form for form, write in FORMS.items() if write(word) == written), "*"))
            if forms[-1] == "*":
                others[token] = written
        return WrittenForms("".join(forms), others, 2 * self._capitalized > self._begun)


def _line_break_first(entry: CountedWord) -> tuple[bool, CountedWord]:
    """Return what sorts the line break before all words: no limit leaves it out."""
    return entry.word != LINE_BREAK, entry


class _Counted:
    """The counted words, to be iterated any number of times."""

    def __init__(self, counts: WordCounts) -> None:
        self._counts = counts

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return ((entry.word, -entry.falling) for entry in self._counts.merged())
