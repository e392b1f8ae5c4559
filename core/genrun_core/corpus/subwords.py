"""Learns the merges of subwords from counted words, with the library ``tokenizers``."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from genrun.errors import MissingExtraError
from genrun.tokenizer.byte_letters import LETTERS, letters_of
from genrun.tokenizer.subword_encoder import Merge

__all__ = ["SAMPLE", "learn_merges", "learn_nothing"]

SAMPLE = 24_000_000  # characters that merges are learnt from, of a larger corpus
_LONGEST = 4_096  # bytes of a word; longer ones are learnt from in parts
_LINE = 1 << 16  # letters handed over at once
_SPACE = " "  # between words in letters of bytes, which have none


def learn_merges(
    word_counts: Iterable[tuple[str, int]], most: int, *, minimum_count: int = 2, characters: int = 0
) -> list[Merge]:
    """Return up to ``most`` merges of subwords, in letters of bytes: each time, of the most frequent neighbours.

    Neighbours that occur less than ``minimum_count`` times are not merged. ``characters``: the length of all words
    together; beyond SAMPLE, every count is scaled down, rounded by a hash of the word. So the merges are a function
    of words and counts alone. Raises MissingExtraError without ``tokenizers``.

    >>> learn_merges([(" the", 5), (" then", 2)], 9)
    [('h', 'e'), ('t', 'he'), ('Ġ', 'the'), ('Ġthe', 'n')]
    """
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError as error:
        raise MissingExtraError("learning subwords needs tokenizers", "train") from error
    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(_SPACE)
    trainer: Any = trainers.BpeTrainer(
        vocab_size=len(LETTERS) + most,
        min_frequency=minimum_count,
        initial_alphabet=list(LETTERS),
        show_progress=False,
    )
    with _one_thread():
        tokenizer.train_from_iterator(_lines(_scaled(word_counts, max(characters / SAMPLE, 1.0))), trainer)
    learnt = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(left, right) for left, right in (pair.split() if isinstance(pair, str) else pair for pair in learnt)]


def learn_nothing(word_counts: Iterable[tuple[str, int]], most: int, **limits: int) -> list[Merge]:
    """Return no merges, where those of another run are taken; the words are still counted.

    >>> learn_nothing([(" the", 5)], 9)
    []
    """
    for _ in word_counts:
        pass
    return []


def _scaled(word_counts: Iterable[tuple[str, int]], factor: float) -> Iterator[tuple[str, int]]:
    """Yield the words with their counts divided by ``factor``; the hash decides which way a count is rounded."""
    for word, count in word_counts:
        data = word.encode()
        number = int(count / factor + zlib.crc32(data) / 2**32) if factor > 1 else count
        if number:
            for first in range(0, len(data), _LONGEST):
                yield letters_of(data[first : first + _LONGEST]) + _SPACE, number


def _lines(word_counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield texts in which each word occurs as often as it was counted."""
    line, length = list[str](), 0
    for word, count in word_counts:
        most = max(_LINE // len(word), 1)
        while count > 0:
            line.append(word * min(count, most))
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
