"""Learns the merges of subwords from counted words, with the library ``tokenizers``.

First come merges of bytes to the frequent characters, then merges of characters. So no subword mixes a part of one
character with another, as merges that are learnt from bytes alone do in scripts of several bytes a character.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from genrun.errors import MissingExtraError
from genrun.tokenizer.subwords.byte_letters import LETTERS, letters_of
from genrun.tokenizer.subwords.encoder import Merge

__all__ = ["SAMPLE", "learn_merges", "learn_nothing"]

SAMPLE = 24_000_000  # bytes that merges are learnt from, of a larger corpus
_COVERED = 0.9995  # of all characters, by those that become subwords; the others stay bytes
_SYMBOLS = 0x10000  # from here on, code points stand for characters while merges are learnt
_LONGEST = 4_096  # characters of a word; longer ones are learnt from in parts
_LINE = 1 << 16  # characters handed over at once
_SPACE = " "  # between words in symbols, which have none


def learn_merges(
    word_counts: Iterable[tuple[str, int]], most: int, *, minimum_count: int = 2, length: int = 0
) -> list[Merge]:
    """Return up to ``most`` merges of subwords, in letters of bytes.

    ``word_counts`` is iterated twice. Characters come first: the most frequent ones, up to 99.95% of the text (as in
    Kudo & Richardson, "SentencePiece", 2018) and three quarters of the merges. Then each merge is of the most
    frequent neighbours, unless they occur less than ``minimum_count`` times. ``length``: the bytes of all words
    together; beyond SAMPLE, every count is scaled down, rounded by a hash of the word. So the merges are a function
    of words and counts alone. Raises MissingExtraError without ``tokenizers``.

    >>> learn_merges([(" the", 5), (" then", 2)], 9)
    [('h', 'e'), ('t', 'he'), ('Ġ', 'the'), ('Ġthe', 'n')]
    >>> learn_merges([("café", 2)], 3)
    [('Ã', '©'), ('a', 'f'), ('c', 'af')]
    """
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError as error:
        raise MissingExtraError("learning subwords needs tokenizers", "train") from error
    factor = max(length / SAMPLE, 1.0)
    chosen, merges = _characters(_scaled(word_counts, factor), most * 3 // 4, minimum_count)
    symbols = dict(zip(chosen, map(chr, range(_SYMBOLS, _SYMBOLS + len(chosen))), strict=True))
    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(_SPACE)
    trainer: Any = trainers.BpeTrainer(
        vocab_size=len(LETTERS) + len(symbols) + most - len(merges),
        min_frequency=minimum_count,
        initial_alphabet=[*LETTERS, *symbols.values()],
        show_progress=False,
    )
    with _one_thread():
        tokenizer.train_from_iterator(_lines(_scaled(word_counts, factor), _Table(symbols)), trainer)
    learnt = json.loads(tokenizer.to_str())["model"]["merges"]
    letters = {ord(symbol): letters_of(character.encode()) for character, symbol in symbols.items()}
    pairs = (pair.split() if isinstance(pair, str) else pair for pair in learnt)
    merges += [(left.translate(letters), right.translate(letters)) for left, right in pairs]
    return list(dict.fromkeys(merges))


def learn_nothing(word_counts: Iterable[tuple[str, int]], most: int, **limits: int) -> list[Merge]:
    """Return no merges, where those of another run are taken.

    >>> learn_nothing([(" the", 5)], 9)
    []
    """
    return []


class _Table(dict[int, str]):
    """For str.translate: each character as its symbol, or as the letters of its bytes."""

    def __init__(self, symbols: Mapping[str, str]) -> None:
        super().__init__((ord(character), symbol) for character, symbol in symbols.items())

    def __missing__(self, code: int) -> str:
        self[code] = letters_of(chr(code).encode())
        return self[code]


def _characters(
    word_counts: Iterable[tuple[str, int]], most: int, minimum_count: int
) -> tuple[list[str], list[Merge]]:
    """Return the frequent characters of several bytes, and up to ``most`` merges that make them of their bytes."""
    counted = Counter[str]()
    for word, count in word_counts:
        for character in word:
            counted[character] += count
    ordered = sorted(counted, key=lambda character: (-counted[character], character))
    before = [0, *accumulate(counted[character] for character in ordered)]
    found: list[str] = []
    merges: dict[Merge, None] = {}
    for character, covered in zip(ordered, before, strict=False):
        letters = letters_of(character.encode())
        new = dict.fromkeys((letters[:end], letters[end]) for end in range(1, len(letters)))
        if covered > _COVERED * before[-1] or counted[character] < minimum_count or len(merges | new) > most:
            break
        if new:
            found.append(character)
            merges |= new
    return found, list(merges)


def _scaled(word_counts: Iterable[tuple[str, int]], factor: float) -> Iterator[tuple[str, int]]:
    """Yield the words with their counts divided by ``factor``; the hash decides which way a count is rounded."""
    for word, count in word_counts:
        number = int(count / factor + zlib.crc32(word.encode()) / 2**32) if factor > 1 else count
        if number:
            for first in range(0, len(word), _LONGEST):
                yield word[first : first + _LONGEST], number


def _lines(word_counts: Iterable[tuple[str, int]], table: _Table) -> Iterator[str]:
    """Yield texts in which each word, in symbols, occurs as often as it was counted."""
    line, length = list[str](), 0
    for word, count in word_counts:
        symbols = word.translate(table) + _SPACE
        most = max(_LINE // len(symbols), 1)
        while count > 0:
            line.append(symbols * min(count, most))
            length += len(line[-1])
            count -= most
            if length >= _LINE:
                yield "".join(line)
                line, length = [], 0
    yield "".join(line)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep the library from starting threads, with which it would warn of every later fork of this process."""
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
