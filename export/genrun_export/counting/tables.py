"""An n-gram model as the arrays that a graph looks its probabilities up in.

Each context has a number: 0 is the beginning of a document, as states begin with zeros; 1 is no known context; then
comes a context for each token, and after them the slots of hash tables for contexts of two tokens and more, a table
for each length. A context is found by its key: the number of the context without its last token, times the
vocabulary, plus that token, plus SALT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting import CountingModel, Mixture, prune
from genrun_core.counting.model import taken
from genrun_core.counting.suffixes import lower_probabilities, suffixes
from genrun_export.counting.hashing import EMPTY, place_keys

__all__ = ["FIRST_TOKEN", "NOTHING", "SALT", "WIDTHS", "Tables", "make_tables"]

_BEGINNING = 0
NOTHING = 1
FIRST_TOKEN = 2
SALT = 1_000_000_007  # a number below the primes would have the same remainder by each of them
WIDTHS = (128, 128, 128, 128)  # the most followers that are kept of a context of 1, 2, 3 and 4 tokens


@dataclass(frozen=True, slots=True)
class Tables:
    """What a graph needs of ``model``, an n-gram model of ``order`` over ``vocabulary`` tokens.

    ``keys`` ``[contexts]``: the key of each context, EMPTY where there is none. ``primes`` ``[order - 2, 4]`` and
    ``bases`` ``[order - 2, 1]``: a context of ``i + 2`` tokens has one of the numbers ``key % primes[i] + bases[i]``.
    ``offsets`` ``[contexts + 1]``: where the followers of each context begin in ``followers`` and ``values``.
    ``widths``: the most followers of a context, by its length; there are that many zeros after the last row.
    Integers are int32 unless keys, or places in rows, are too large for it.

    Without a mixture, ``values`` are what is added to the logarithm of a follower's probability, and ``factors``
    ``[contexts]`` to all others'; ``unigrams`` are logarithms. With a mixture, ``values`` are probabilities over the
    network's weight, and ``factors`` the logarithm of what the shorter contexts' values are multiplied with.
    """

    order: int
    vocabulary: int
    model: CountingModel
    mixture: Mixture | None
    keys: NDArray[np.signedinteger]
    primes: NDArray[np.signedinteger]
    bases: NDArray[np.signedinteger]
    offsets: NDArray[np.signedinteger]
    followers: NDArray[np.signedinteger]
    values: NDArray[np.float32]
    factors: NDArray[np.float32]
    unigrams: NDArray[np.float32]
    widths: tuple[int, ...]


def make_tables(model: CountingModel, mixture: Mixture | None = None, *, widths: Sequence[int] = WIDTHS) -> Tables:
    """Return the tables of ``model``, for a step by itself or for a ``mixture`` with a network.

    Contexts with more followers than ``widths`` keep those that matter most: ``Tables.model`` is what is left.
    """
    model = prune(model, longest_row=widths[: model.order - 1])
    numbering = _numbered(model)
    contexts = len(numbering.keys)
    owners, tokens, values, widest = [], [], [], []
    factors = np.zeros(contexts, np.float32)
    for level, numbers in enumerate(numbering.numbers, 1):
        kept = model.shares[level] > 0
        owners.append(numbers[model.keys[level][kept] // model.width])
        tokens.append(model.keys[level][kept] % model.width)
        values.append(_values(model, mixture, level)[kept])
        widest.append(int(np.bincount(owners[-1], minlength=1).max(initial=1)))
        factors[numbers[numbers >= 0]] = _factors(model, mixture, level)[numbers >= 0]
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=contexts))))
    whole = _narrowest((contexts + 1) * model.vocabulary + SALT)
    places = _narrowest(max(len(owner) + max(widest), model.vocabulary))
    return Tables(
        order=model.order,
        vocabulary=model.vocabulary,
        model=model,
        mixture=mixture,
        keys=numbering.keys.astype(whole),
        primes=numbering.primes.astype(whole),
        bases=numbering.bases.astype(whole),
        offsets=offsets.astype(places),
        followers=_padded(np.concatenate(tokens)[order].astype(places), max(widest)),
        values=_padded(np.concatenate(values)[order].astype(np.float32), max(widest)),
        factors=factors,
        unigrams=np.log(model.unigrams()).astype(np.float32),
        widths=tuple(widest),
    )


@dataclass(frozen=True, slots=True)
class _Numbering:
    """The number of each node as a context, by level from 1, -1 where nothing follows it; and how it is found."""

    numbers: list[NDArray[np.int64]]
    keys: NDArray[np.int64]
    primes: NDArray[np.int64]
    bases: NDArray[np.int64]


def _numbered(model: CountingModel) -> _Numbering:
    """Number the contexts: tokens, and then, level by level, the slots of longer ones."""
    tokens = np.append(np.arange(FIRST_TOKEN, FIRST_TOKEN + model.vocabulary), _BEGINNING if model.boundary else -1)
    numbers, keys = [tokens], [np.full(FIRST_TOKEN + model.vocabulary, EMPTY)]
    primes, bases = [], []
    for level in range(1, model.order - 1):
        nodes = np.unique(model.keys[level + 1] // model.width)  # that something follows
        parents, last = model.keys[level][nodes] // model.width, model.keys[level][nodes] % model.width
        placed = place_keys(numbers[-1][parents] * model.vocabulary + last + SALT)
        base = sum(map(len, keys))
        numbers.append(np.full(len(model.keys[level]), -1))
        numbers[-1][nodes] = placed.slots + base
        keys.append(placed.keys)
        primes.append(placed.primes)
        bases.append([base])
    longer = model.order - 2
    return _Numbering(
        numbers,
        np.concatenate(keys),
        np.array(primes, np.int64).reshape(longer, 4),
        np.array(bases, np.int64).reshape(longer, 1),
    )


def _values(model: CountingModel, mixture: Mixture | None, level: int) -> NDArray[np.float64]:
    """Return what stands in the row of a context for each n-gram of ``level`` + 1 tokens."""
    parents, shares = model.keys[level] // model.width, model.shares[level]
    if mixture is not None:
        return shares * _odds(model, mixture, level)[parents]
    left = model.backoffs[level][parents] * lower_probabilities(model, level)
    return np.log((shares + left) / left)


def _factors(model: CountingModel, mixture: Mixture | None, level: int) -> NDArray[np.float64]:
    """Return the logarithm of what a context of ``level`` tokens multiplies shorter ones with, for each node."""
    logs = np.log(model.backoffs[level])
    if mixture is None:
        return logs
    shorter = np.ones(len(logs))
    for length, nodes in enumerate(suffixes(model, level - 1)[1], 1):
        seen = taken(model.totals[length], nodes, 0) > 0
        shorter = np.where(seen, taken(_odds(model, mixture, length), nodes, 1.0), shorter)
    seen = model.totals[level] > 0
    return np.where(seen, logs + np.log(_odds(model, mixture, level) / shorter), 0.0)


def _odds(model: CountingModel, mixture: Mixture, level: int) -> NDArray[np.float64]:
    """Return the weight of counts over the network's, where each context of ``level`` tokens is the longest known."""
    totals = model.totals[level]
    weight = mixture.weight(np.full(len(totals), level), totals)
    left = model.backoffs[level].copy()
    for length, nodes in enumerate(suffixes(model, level - 1)[1], 1):
        left *= taken(model.backoffs[length], nodes, 1.0)
    return (1 - weight) / (weight + (1 - weight) * left)


def _narrowest(largest: int) -> type[np.signedinteger]:
    """Return the type of integers up to ``largest``."""
    return np.int32 if largest < 2**31 else np.int64


def _padded(array: NDArray[Any], count: int) -> NDArray[Any]:
    """Return ``array`` with ``count`` zeros more, so that a row of the full width can be read at its end."""
    return np.concatenate([array, np.zeros(count, array.dtype)])
