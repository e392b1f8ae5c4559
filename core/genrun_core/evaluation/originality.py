"""The document ``genrun.originality`` of a model file: hashed runs of words of the training documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.loading.originality import TrainingRuns
from genrun.loading.originality.hashing import LINE, extended, mixed, salt, word_hash
from genrun.loading.originality.run_table import MOST_RUNS, RunTable
from genrun.loading.originality.steering import ends_of
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.plain_words import words_of
from genrun_core.recipes.output_sections import OutputSettings
from genrun_core.runs.token_shards import TokenShards

__all__ = ["originality_of", "training_runs_of"]

_SHORTEST, _LONGEST = 5, 8  # words
_UNKNOWN, _END = -1, -2
_TOKENS = 1 << 22  # whose words are found at once

Words = NDArray[np.int64]
Hashes = NDArray[np.uint64]


def originality_of(
    settings: OutputSettings, tokenizer: Tokenizer, shards: TokenShards
) -> tuple[TrainingRuns | None, dict[str, Any]]:
    """Return the hashed runs for a model file, and what is added to its card: nothing if they are left out.

    Raises ExportError if ``max_copied`` needs more than there is, OptionError if it does not fit the model.
    """
    found = training_runs_of(tokenizer, shards) if settings.originality else None
    if found is None:
        if settings.max_copied:
            raise ExportError("max_copied needs the hashed runs of the training text, which is too large for them")
        return None, {}
    runs, about = found
    if settings.max_copied:
        ends_of(runs, settings.max_copied)
    return runs, {"originality": about}


def training_runs_of(
    tokenizer: Tokenizer, shards: TokenShards, most: int = MOST_RUNS
) -> tuple[TrainingRuns, dict[str, Any]] | None:
    """Return the hashed runs of the documents that a run was trained on, and a description of them for the card.

    Where there are more than ``most`` runs, the longest lengths are left out; None if even the shortest are too many.
    No run has an unknown word.
    """
    if len(shards.ids) > 8 * most:
        return None
    words, hashes = _words(tokenizer, shards)
    parts, longest = [_lines(words, hashes)], 0
    for length in range(_SHORTEST, _LONGEST + 1):
        runs = _runs(words, hashes, length)
        if sum(len(lasts) for _, lasts in (*parts, runs)) > most:
            break
        parts.append(runs)
        longest = length
    if not longest:
        return None
    table = RunTable.of(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    about = {"shortest": _SHORTEST, "longest": longest, "runs": len(table)}
    document = {**about, "buckets": table.buckets, "table": table.to_text()}
    text = json.dumps(document, separators=(",", ":"))
    about["bytes"] = len(text)
    return TrainingRuns(text, tokenizer, ""), {**about, "false_positives": round(table.false_positives(), 5)}


def _words(tokenizer: Tokenizer, shards: TokenShards) -> tuple[Words, Hashes]:
    """Return the words of the documents by number, with -1 for an unknown word and -2 behind each document.

    And the hash of each number, uint64 ``[different words]``.
    """
    numbers: dict[str, int] = {}
    parts = (
        _by_token(tokenizer, shards, numbers) if tokenizer.kind == "word" else _by_text(tokenizer, shards, numbers)
    )
    words = np.concatenate(list(parts) or [np.zeros(0, np.int64)])
    return words, np.array([word_hash(word) for word in numbers], np.uint64)


def _by_token(tokenizer: Tokenizer, shards: TokenShards, numbers: dict[str, int]) -> Iterator[Words]:
    """Yield the words of training documents, by a table of the words of each token; behind them stands the end."""
    unknown, specials = tokenizer.special("unk"), len(tokenizer.specials)
    of_tokens = list[list[int]]()
    for token in range(len(tokenizer)):
        found = words_of(tokenizer.piece(token)) if token >= specials else []
        of_tokens.append([_UNKNOWN] if token == unknown else [numbers.setdefault(w, len(numbers)) for w in found])
    of_tokens.append([_END])
    counts = np.array([len(found) for found in of_tokens])
    flat = np.array([word for found in of_tokens for word in found], np.int64)
    starts = np.cumsum(counts) - counts
    trained = shards.trained_on
    at = np.cumsum(np.diff(shards.offsets)[trained]) // _TOKENS
    for part in np.split(trained, np.flatnonzero(np.diff(at)) + 1) if len(trained) else ():
        ids = np.concatenate([piece for document in part for piece in (shards[document], [len(tokenizer)])])
        many = counts[ids]
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        yield flat[np.repeat(starts[ids], many) + within]


def _by_text(tokenizer: Tokenizer, shards: TokenShards, numbers: dict[str, int]) -> Iterator[Words]:
    """Yield the words of each training document, taken from its text: a word may be of several tokens."""
    for document in shards.trained_on:
        found = words_of(tokenizer.decode(shards[document].tolist()))
        yield np.array([*(numbers.setdefault(word, len(numbers)) for word in found), _END], np.int64)


def _runs(words: Words, hashes: Hashes, length: int) -> tuple[Hashes, Hashes]:
    """Return beginnings and last words of all runs of ``length`` words within one document, none of them unknown."""
    count = max(len(words) - length + 1, 0)
    places = np.arange(count)
    for offset in range(length):
        places = places[words[places + offset] >= 0]
    beginnings = np.zeros(len(places), np.uint64)
    for offset in range(length - 1):
        beginnings = extended(beginnings, hashes[words[places + offset]])
    return mixed(beginnings ^ np.uint64(salt(length))), hashes[words[places + length - 1]]


def _lines(words: Words, hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Return beginnings and last words, which are 0, of all documents without an unknown word."""
    ends = np.flatnonzero(words == _END)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)].astype(np.int64)
    unknown = np.cumsum(words == _UNKNOWN)
    whole = (ends > starts) & (unknown[ends] == np.where(starts > 0, unknown[starts - 1], 0))
    at, left = starts[whole], ends[whole] - starts[whole]
    lines = np.zeros(len(at), np.uint64)
    active = np.arange(len(at))
    while len(active):
        lines[active] = extended(lines[active], hashes[words[at[active]]])
        at[active] += 1
        left[active] -= 1
        active = active[left[active] > 0]
    return mixed(lines ^ np.uint64(LINE)), np.zeros(len(lines), np.uint64)
