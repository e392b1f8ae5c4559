"""The step of a batch on the CPU that also chooses, in NumPy: for several rows its sorting and its maxima are faster.

It chooses what the graph chooses, from the same draws (see :mod:`genrun.sampling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import NotANumberError, inverse_cdf, log_normalizers, top_k
from genrun.stepping.bound_step import BoundStep

__all__ = ["ArrayStep"]

# What the graph tells of one token, the same in all rows, if it is fed normalize.
_TOKEN, _LOG = "chosen", "chosen_log_probability"
_LEAST = -100.0  # log-probability that float32 can tell to a hundred-thousandth


class ArrayStep:
    """A step that chooses by the options ``k``, int64 ``[1]``, and ``temperature``, float64 ``[]``.

    ``session`` and ``carried`` as for :class:`~genrun.stepping.bound_step.BoundStep`; the graph has the input
    ``normalize``.
    """

    def __init__(
        self,
        session: Any,
        options: Mapping[str, NDArray[Any]],
        carried: Mapping[str, NDArray[Any]],
        *,
        vocabulary: int,
        suppressed_ids: Sequence[int],
    ) -> None:
        batch = len(carried["token"])
        inputs = {"k": np.array([-1], np.int64), "normalize": np.array(True)}
        outputs: dict[str, NDArray[Any]] = {"logits": np.zeros((batch, vocabulary), np.float32)}
        outputs |= {_TOKEN: np.zeros(batch, np.int64), _LOG: np.zeros(batch, np.float32)}
        self._step = BoundStep(session, "cpu", inputs=inputs, carried=carried, outputs=outputs, chooses=False)
        self._logits = self._step.read("logits")
        self._k, self._temperature = int(options["k"][0]), float(options["temperature"])
        self._suppressed = list(suppressed_ids)
        self._rows, self._starts = np.arange(batch), np.arange(batch) * vocabulary
        self._scratch = np.zeros((batch, vocabulary), np.bool_)
        self._chooses = True
        self.load, self.carried = self._step.load, self._step.carried

    def run(self, draws: Sequence[float] | None) -> tuple[list[int], list[float]]:
        """Run the step; return the chosen ids and their log-probabilities, or nothing without ``draws``.

        Where the logits of a row are not numbers, all ids are -1.
        """
        if (draws is not None) is not self._chooses:
            self._chooses = draws is not None
            self._step.write("k", -1 if self._chooses else 0)
        self._step.run()
        if draws is None:
            return [], []
        normalizers = self._log_normalizers()
        for token in self._suppressed:
            self._logits[:, token] = -np.inf
        chosen = self._logits.argmax(axis=1) if self._k == 1 else self._drawn(np.array(draws))
        self._step.load({"token": chosen})
        logs = np.minimum(self._logits.take(chosen + self._starts) - normalizers, 0.0)
        return chosen.tolist(), logs.tolist()

    def _log_normalizers(self) -> NDArray[np.float64]:
        """Return log Σ exp(logits), float64 ``[batch]``: what the graph takes off a logit, if that can be told."""
        logs = self._step.read(_LOG)
        if min(logs.tolist()) > _LEAST:
            known: NDArray[np.float64] = np.subtract(
                self._logits[:, self._step.read(_TOKEN)[0]], logs, dtype=np.float64
            )
            return known
        return log_normalizers(self._logits)

    def _drawn(self, draws: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the ids that are drawn, int64 ``[batch]``; -1 where the logits of a row are not numbers."""
        try:
            candidates = top_k(self._logits, self._k, scratch=self._scratch)
            values = self._logits[self._rows[:, None], candidates]
            chosen: NDArray[np.int64] = candidates[self._rows, inverse_cdf(values, draws, self._temperature)]
        except NotANumberError:
            chosen = np.full(len(draws), -1)
        return chosen
