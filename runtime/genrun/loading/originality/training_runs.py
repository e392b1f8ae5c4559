"""The runs of words of a model's training text: what a text copies of them, and which words would copy one more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from genrun.checks.json_text import read_json
from genrun.checks.short_text import shorten
from genrun.errors import ModelFileError, one_line
from genrun.loading.metadata_values import Malformed, is_whole
from genrun.loading.originality.hashing import FACTOR, LINE, MASK, beginnings, mixed, salt, word_hash
from genrun.loading.originality.run_table import RunTable
from genrun.tokenizer import Encoding, Tokenizer
from genrun.tokenizer.marks import without_joiners
from genrun.tokenizer.plain_words import word_spans, words_of

__all__ = ["Copied", "TrainingRuns"]

_LONGEST = 64  # words of a run in a table
_KNOWN = 50_000  # words whose hashes are kept


class Copied(NamedTuple):
    """What a text has of the training text: the words of its longest copied ``run``, and whether it ``is_line``.

    A run that is shorter than those of the table counts as 0. ``span``: the characters of the text from which and up
    to which the first of these runs stands; None without one, or where the text is written in other words.
    """

    run: int
    is_line: bool
    span: tuple[int, int] | None = None


class TrainingRuns:
    """The document ``genrun.originality`` of a model file; it is read when it is first needed.

    Texts are compared word by word, without marks and case (:func:`~genrun.tokenizer.plain_words.words_of`). Raises
    ModelFileError, when it is first needed, for a document that cannot be read.
    """

    def __init__(self, document: str, tokenizer: Tokenizer, path: str) -> None:
        self.document = document
        self._tokenizer, self._path = tokenizer, path
        self.made: dict[int, object] = {}  # what others have made of the table, by a number
        self._opened: tuple[RunTable, range] | None = None
        self._powers: list[tuple[int, int, int]] = []  # of each length: the power of FACTOR, the salt
        self._of_words: dict[str, int] = {}
        self._of_tokens: dict[int, tuple[int, ...] | None] = {}

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the model."""
        return self._tokenizer

    @property
    def table(self) -> RunTable:
        """The hashed runs."""
        return self._read()[0]

    @property
    def lengths(self) -> range:
        """The lengths of the runs in words, from the shortest to the longest."""
        return self._read()[1]

    def copied(self, prompt: Encoding, new_ids: Sequence[int], text: str) -> Copied:
        """Return what a text copies: a ``prompt`` and its ``new_ids``; ``text`` is both as they are written.

        A text in which the model has written an unknown word is no line.
        """
        if self._tokenizer.kind != "word":
            copied = self.copied_words([[self.word(word) for word in words_of(text)]], text)
            return self._of_known(copied, new_ids)
        words = [self.word(word) for piece in prompt.pieces for word in words_of(without_joiners(piece))]
        parts, known = [words], self._of_tokens
        for token in new_ids:
            found = known[token] if token in known else self.words_of_token(token)
            if found:
                words += found
            elif found is None:
                parts.append(words := [])
        return self._of_known(self.copied_words([part for part in parts if part], text), new_ids)

    def _of_known(self, copied: Copied, new_ids: Sequence[int]) -> Copied:
        """Return what is ``copied``; a text with an unknown token is no line."""
        if copied.is_line and self._tokenizer.special("unk") in new_ids:
            return copied._replace(is_line=False)
        return copied

    def copied_words(self, parts: Sequence[Sequence[int]], text: str) -> Copied:
        """Return what ``text`` copies, of which ``parts`` are the hashes of its words; no run goes across two parts.

        A run that is longer than the longest of the table is copied where all runs of that length in it are.
        """
        heads = list(map(beginnings, parts))
        longest, run = 0, parts[0][:0] if parts else []
        for part, head in zip(parts, heads, strict=True):
            length, start = self._longest(part, head)
            if length > longest:
                longest, run = length, part[start : start + length]
        span = self._span(text, run) if longest else None
        if len(parts) != 1:
            return Copied(longest, False, span)
        count = len(parts[0])
        is_line = longest >= count or count < self.lengths[0]
        return Copied(longest, is_line and self.has_line(heads[0][-1]), span)

    def has_line(self, words: int) -> bool:
        """Return whether a document of the training text has these ``words``, given as their polynomial."""
        return self.table.has(mixed(words ^ LINE), 0)

    def _span(self, text: str, run: Sequence[int]) -> tuple[int, int] | None:
        """Return where the words with these hashes stand in ``text``."""
        spans = word_spans(text)
        words = [self.word(word) for word, _, _ in spans]
        for start in range(len(words) - len(run) + 1):
            if words[start : start + len(run)] == list(run):
                return spans[start][1], spans[start + len(run) - 1][2]
        return None

    def _longest(self, words: Sequence[int], heads: Sequence[int]) -> tuple[int, int]:
        """Return the longest copied run and where it starts; ``heads``: polynomials of the first 0, 1, … words."""
        table, lengths = self._read()
        (shortest, power, own), *longer = self._powers
        ends = heads[shortest - 1 : -1]
        runs = [mixed((end - head * power) & MASK ^ own) for head, end in zip(heads, ends, strict=False)]
        longest = at = whole = 0  # whole: runs in a row that have the greatest length
        previous = -1
        for start in table.places(runs, words[shortest - 1 :]):
            run, head = shortest, heads[start]
            for length, power, own in longer:
                last = start + length - 1
                if last >= len(words):
                    break
                if not table.has(mixed((heads[last] - head * power) & MASK ^ own), words[last]):
                    break
                run = length
            if start != previous + 1:
                whole = 0
            previous = start
            whole = whole + 1 if run == lengths[-1] else 0
            before = max(0, whole - 1)
            if run + before > longest:
                longest, at = run + before, start - before
        return longest, at

    def word(self, word: str) -> int:
        """Return the hash of a word."""
        found = self._of_words.get(word)
        if found is None:
            if len(self._of_words) >= _KNOWN:
                self._of_words = {}
            found = self._of_words[word] = word_hash(word)
        return found

    def words_of_token(self, token: int) -> tuple[int, ...] | None:
        """Return the hashes of the words of a token, of a mark none; None for a special token, which parts runs."""
        if token not in self._of_tokens:
            special = token < len(self._tokenizer.specials)
            piece = self._tokenizer.piece(token)
            self._of_tokens[token] = None if special else tuple([self.word(word) for word in words_of(piece)])
        return self._of_tokens[token]

    def _read(self) -> tuple[RunTable, range]:
        if self._opened is None:
            try:
                table, lengths = _opened(self.document)
                self._powers = [(length, pow(FACTOR, length - 1, 1 << 64), salt(length)) for length in lengths]
                self._opened = table, lengths
            except Malformed as error:
                raise ModelFileError(f"{self._path}: {one_line(error)}") from None
        return self._opened


def _opened(document: str) -> tuple[RunTable, range]:
    try:
        value = read_json(document)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"genrun.originality is not valid JSON: {shorten(one_line(error), 200)}") from error
    shortest, longest = (value.get("shortest"), value.get("longest")) if isinstance(value, dict) else (None, None)
    if not (is_whole(shortest) and is_whole(longest) and 2 <= shortest <= longest <= _LONGEST):
        raise Malformed(f"genrun.originality needs 'shortest' and 'longest', from 2 to {_LONGEST} words")
    return RunTable.from_text(value.get("table"), value.get("runs"), value.get("buckets")), range(
        shortest, longest + 1
    )
