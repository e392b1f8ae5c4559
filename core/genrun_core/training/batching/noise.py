"""What an epoch changes in the tokens it shows: it hides rare words, and replaces some of the words that are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun_core.runs.token_shards import TokenShards

__all__ = ["EpochNoise", "InputNoise", "RareWords"]

_LOOKED_AT = 5_000_000  # tokens, the first ones, that the rates are counted in


@dataclass(frozen=True, slots=True, eq=False)
class RareWords:
    """Words of the vocabulary that occur once in what is trained on: ``once``, bool ``[vocabulary]``.

    A word that is new to a model is much like these. Where each of them is read as ``unknown``, the id of ``<unk>``,
    with probability ``rate``, a network learns how likely a new word is, and what follows it.
    """

    once: NDArray[np.bool_]
    unknown: int
    rate: float

    @classmethod
    def of(cls, frequencies: NDArray[np.int64], unknown: int | None, rate: float) -> RareWords | None:
        """Return the words with a frequency, int64 ``[vocabulary]``, of one; None if none would be hidden.

        ``unknown``: None for a vocabulary without ``<unk>``.
        """
        once = frequencies == 1
        return None if unknown is None or not rate or not once.any() else cls(once, unknown, rate)

    def hidden(self, tokens: NDArray[np.int32], random: np.random.Generator) -> NDArray[np.int32]:
        """Return ``tokens``, of any shape, with some of these words read as unknown ones.

        >>> words = RareWords(np.array([False, False, True]), unknown=0, rate=1.0)
        >>> words.hidden(np.array([[1, 2, 1]], np.int32), np.random.default_rng(0)).tolist()
        [[1, 0, 1]]
        """
        chosen = self.once[tokens]
        chosen[chosen] = random.random(int(chosen.sum())) < self.rate
        return np.where(chosen, np.int32(self.unknown), tokens)

    def expected(self, frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``frequencies``, with as many unknown words as an epoch has on average."""
        found = frequencies.copy()
        found[self.unknown] += round(self.rate * int(self.once.sum()))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class InputNoise:
    """Replaces words that are read, never those that are to be predicted.

    A word w is replaced with probability ``rates[w]`` = rate · (different words after w) / (occurrences of w): often
    where what follows it is little known. The other word is drawn by the number of different words before it. Special
    tokens stay. This does for a network what Kneser-Ney smoothing does for counts (Xie et al., "Data Noising as
    Smoothing in Neural Network Language Models", 2017, section 3.3).

    ``rates`` and ``cumulative``, of the words that are drawn: float64 ``[vocabulary]``.
    """

    rates: NDArray[np.float64]
    cumulative: NDArray[np.float64]

    @classmethod
    def of(
        cls, shards: TokenShards, documents: NDArray[np.int64], vocabulary: int, specials: int, rate: float
    ) -> InputNoise | None:
        """Return the noise for some documents; None for a ``rate`` of 0, or where there is nothing to draw."""
        if not rate:
            return None
        chosen = np.zeros(len(shards), bool)
        chosen[documents] = True
        count = int(np.searchsorted(shards.offsets, _LOOKED_AT, side="right")) - 1  # documents that are looked at
        if count < len(shards):
            shards = TokenShards(shards.ids[: shards.offsets[count]], shards.offsets[: count + 1])
        lengths = np.diff(shards.offsets)
        ids, in_documents = np.asarray(shards.ids), np.repeat(chosen[: len(shards)], lengths)
        is_first = np.zeros(len(ids) + 1, bool)
        is_first[shards.offsets[:-1]] = True
        pairs = in_documents[:-1] & in_documents[1:] & ~is_first[1 : len(ids)]
        different = np.unique(ids[:-1][pairs].astype(np.int64) * vocabulary + ids[1:][pairs])
        after = np.bincount(different // vocabulary, minlength=vocabulary)
        before = np.bincount(different % vocabulary, minlength=vocabulary).astype(np.float64)
        occurrences = np.bincount(ids[in_documents], minlength=vocabulary)
        rates = np.minimum(rate * after / np.maximum(occurrences, 1), 1.0)
        rates[:specials] = before[:specials] = 0.0
        return cls(rates, np.cumsum(before) / before.sum()) if before.any() else None

    def replaced(self, tokens: NDArray[np.int32], random: np.random.Generator) -> NDArray[np.int32]:
        """Return ``tokens``, of any shape, with some of them replaced.

        >>> noise = InputNoise(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
        >>> noise.replaced(np.array([[0, 1, 2]], np.int32), np.random.default_rng(0)).tolist()
        [[0, 2, 2]]
        """
        chosen = random.random(tokens.shape) < self.rates[tokens]
        drawn = np.searchsorted(self.cumulative, random.random(int(chosen.sum())), side="right")
        found = tokens.copy()
        found[chosen] = np.minimum(drawn, len(self.cumulative) - 1)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class EpochNoise:
    """Both changes, each of which may be missing (None)."""

    rare: RareWords | None = None
    inputs: InputNoise | None = None

    def shown(
        self, tokens: NDArray[np.int32], random: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the tokens as they are predicted, and as they are read, both of the shape of ``tokens``."""
        predicted = tokens if self.rare is None else self.rare.hidden(tokens, random)
        return predicted, predicted if self.inputs is None else self.inputs.replaced(predicted, random)

    def expected(self, frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``frequencies`` int64 ``[vocabulary]``, with the unknown words that an epoch has on average."""
        return frequencies if self.rare is None else self.rare.expected(frequencies)
