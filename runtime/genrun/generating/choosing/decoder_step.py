"""The step of a batch after which the decoder chooses from the logits: any decoder, with any model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.errors import ModelFileError
from genrun.generating.choosing.checked_choice import checked_choice, forbidden
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.stepping.bound_step import BoundStep
from genrun.generating.stepping.mixed_session import MixedSession, MixedStep
from genrun.generating.stepping.session import NOT_NUMBERS, StepSession
from genrun.sampling import log_normalizers

__all__ = ["Allowed", "DecoderStep", "restrict"]

Allowed = Sequence[NDArray[np.int64] | None]

# The graph's outputs for one token, the same in all rows, if it is fed normalize.
_TOKEN, _LOG = "chosen", "chosen_log_probability"
_LEAST = -100.0  # log-probability that float32 holds to a hundred-thousandth


class DecoderStep:
    """Calls ``decoder`` after each step.

    ``carried`` as for :class:`~genrun.generating.stepping.bound_step.BoundStep`. ``read_only``: the decoder
    does not change the logits, which saves a copy.
    """

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        suppressed_ids: Sequence[int],
        carried: Mapping[str, NDArray[Any]],
        *,
        log_probabilities: bool,
        read_only: bool,
    ) -> None:
        batch = len(carried["token"])
        self._session, self._decoder, self._read_only = session, decoder, read_only
        self._suppressed = frozenset(suppressed_ids)
        self._log_probabilities, self._chooses = log_probabilities, True
        self._normalizes = log_probabilities and session.normalizes and session.device == "cpu"
        inputs: dict[str, NDArray[Any]] = {}
        outputs: dict[str, NDArray[Any]] = {"logits": np.zeros((batch, session.vocabulary), np.float32)}
        if self._normalizes:
            inputs = {"k": np.array([-1], np.int64), "normalize": np.array(True)}
            outputs |= {_TOKEN: np.zeros(batch, np.int64), _LOG: np.zeros(batch, np.float32)}
        self._step: BoundStep | MixedStep
        if isinstance(session, MixedSession):
            self._step = MixedStep(session, carried)
        else:
            self._step = BoundStep(session, inputs=inputs, carried=carried, outputs=outputs, chooses=False)
        self._starts = np.arange(batch) * session.vocabulary
        self._prepare(np.zeros((0, session.vocabulary), np.float32))
        self.load, self.carried = self._step.load, self._step.carried

    def run(
        self, ready: Sequence[int], draws: Sequence[float], texts: Sequence[Tokens], allowed: Allowed | None = None
    ) -> tuple[list[int], list[float]]:
        """Run the step; return the ids that the rows ``ready`` choose, and their log-probabilities.

        ``allowed``: of each ready row the ids that it may choose, None for all.
        """
        if self._normalizes and bool(ready) is not self._chooses:
            self._chooses = bool(ready)
            self._step.write("k", -1 if ready else 0)  # 0: nothing is summed up
        self._step.run()
        if not ready:
            return [], []
        logits = self._step.read("logits")  # [batch, vocabulary]
        whole = len(ready) == len(logits)
        if not whole:
            logits = logits[ready]
        normalizers = self._log_normalizers(logits, None if whole else ready)
        if logits is not self._logits:
            self._prepare(logits)
        for column in self._suppressed_columns:
            column.fill(-np.inf)
        if allowed is not None:
            restrict(logits, allowed)
        ids = self._chosen(logits, draws, texts)
        for token, among in zip(ids, allowed or (), strict=False):
            if among is not None and token not in among:
                raise forbidden(self._decoder)
        fed = np.array(ids, np.int64)
        if whole:
            self._step.load({"token": fed})
        if normalizers is None:
            return ids, [0.0] * len(ids)
        if len(ids) == 1:
            return ids, [min(logits.item(0, ids[0]) - normalizers.item(), 0.0)]
        starts = self._starts if whole else self._starts[: len(ids)]
        logs = np.minimum(logits.take(fed + starts) - normalizers, 0.0)
        return ids, logs.tolist()

    def _prepare(self, logits: NDArray[np.float32]) -> None:
        """Make views of ``logits``, which on the CPU are in the same array after every step of all rows."""
        self._logits, self._given = logits, logits.view()
        self._given.flags.writeable = False
        self._suppressed_columns = [logits[:, token] for token in self._suppressed]

    def _log_normalizers(
        self, logits: NDArray[np.float32], ready: Sequence[int] | None
    ) -> NDArray[np.float64] | None:
        """Return log Σ exp(logits), float64 ``[rows]``, None if it is not needed; ``ready`` None: all rows.

        Raises ModelFileError for logits that are not numbers.
        """
        if self._normalizes:
            logs, token = self._step.read(_LOG), self._step.read(_TOKEN)[0]
            if len(logs) == 1 and (log := logs.item()) > _LEAST:  # the same, in fewer calls
                return np.array([logits.item(0, token) - log])
            if ready is not None:
                logs = logs[ready]
            of_token = logits[:, token]
            known: NDArray[np.float64]
            if logs.min() > _LEAST:  # the least of numbers with a NaN among them is NaN
                known = np.subtract(of_token, logs, dtype=np.float64)
                return known
            # Only the rows that need it: a row's digits do not depend on its neighbours.
            is_known, known = logs > _LEAST, np.empty(len(logs))
            known[is_known] = np.subtract(of_token[is_known], logs[is_known], dtype=np.float64)
            known[~is_known] = _finite(log_normalizers(logits[~is_known]))
            return known
        if self._log_probabilities:
            return _finite(log_normalizers(logits))
        _finite(logits.max(axis=1))
        return None

    def _chosen(self, logits: NDArray[np.float32], draws: Sequence[float], texts: Sequence[Tokens]) -> list[int]:
        """Return what the decoder chooses."""
        given = self._given
        if not self._read_only:  # the decoder may overwrite what it is given
            given = logits.copy() if self._log_probabilities else logits
        return checked_choice(self._decoder, given, texts, np.array(draws, np.float32), self._suppressed)


def _finite(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return ``numbers``; raises ModelFileError unless all of them are finite."""
    if not np.isfinite(numbers).all():
        raise ModelFileError(NOT_NUMBERS)
    return numbers


def restrict(logits: NDArray[np.float32], allowed: Allowed) -> None:
    """Set the logits ``[rows, vocabulary]`` of all ids to minus infinity but those that their row may choose."""
    for row, ids in zip(logits, allowed, strict=True):
        if ids is not None:
            kept = row[ids]
            row[:] = -np.inf
            row[ids] = kept
