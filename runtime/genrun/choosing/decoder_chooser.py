"""Choosing from the logits with a decoder: the way that any decoder and any model file can go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import class_name, shown
from genrun.contracts import Decoder
from genrun.errors import ModelFileError, PluginError
from genrun.generating.row import Row
from genrun.registry import title
from genrun.sampling import log_normalizers
from genrun.stepping.session import NOT_NUMBERS, StepSession

__all__ = ["LogitsChoice"]


class _History(Sequence[NDArray[np.int64]]):
    """The tokens so far of the rows that choose now, one array per row, made only when looked at."""

    def __init__(self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], rows: Sequence[int]) -> None:
        self._tokens, self._lengths, self._rows = tokens, lengths, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.int64]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[np.int64]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.int64] | list[NDArray[np.int64]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = self._rows[index]
        view = self._tokens[row, : self._lengths[row]]
        view.flags.writeable = False
        return view


class LogitsChoice:
    """Runs the step of a batch and has ``decoder`` choose; holds states and tokens of the rows."""

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        suppressed_ids: Sequence[int],
        *,
        log_probabilities: bool,
    ) -> None:
        self._session = session
        self._decoder = decoder
        self._suppressed = np.asarray(suppressed_ids, np.int64)
        self._log_probabilities = log_probabilities
        self._rows: Sequence[Row] = ()
        self._states = session.initial_states(0)
        self._tokens = np.zeros((0, 1), np.int64)  # [batch, capacity]: prompt, then new tokens
        self._lengths = np.zeros(0, np.int64)  # [batch]: how many of them are known

    def regroup(self, kept: Sequence[int], rows: Sequence[Row]) -> None:
        """Go on with ``rows``: those whose numbers were ``kept``, then new ones."""
        joining = rows[len(kept) :]
        self._rows = rows
        width = self._tokens.shape[1]
        tokens = np.zeros((len(rows), max([width, *(len(row.prompt_ids) + 1 for row in joining)])), np.int64)
        tokens[: len(kept), :width] = self._tokens[kept]
        for i, row in enumerate(joining, len(kept)):
            tokens[i, : len(row.prompt_ids)] = row.prompt_ids
        self._tokens = tokens
        self._lengths = np.array([*self._lengths[kept], *(len(row.prompt_ids) for row in joining)], np.int64)
        fresh = self._session.initial_states(len(joining))
        self._states = [np.concatenate([old[kept], new]) for old, new in zip(self._states, fresh, strict=True)]

    def step(self, tokens: NDArray[np.int64] | None, ready: Sequence[int]) -> list[int]:
        """Feed int64 ``[batch]``, or each row its last choice; return what the rows ``ready`` choose then."""
        if tokens is None:
            tokens = np.array([row.new_ids[-1] for row in self._rows], np.int64)
        self._session.check_going()
        logits, self._states = self._session.step(tokens, self._states)
        if not ready:
            return []
        chosen = self._choose(logits if len(ready) == len(self._rows) else logits[ready], ready)
        if self._lengths.max() == self._tokens.shape[1]:  # the longest row has filled the columns
            self._tokens = np.concatenate([self._tokens, np.zeros_like(self._tokens)], axis=1)
        self._tokens[ready, self._lengths[ready]] = chosen
        self._lengths[ready] += 1
        ids: list[int] = chosen.tolist()
        return ids

    def _choose(self, logits: NDArray[np.float32], ready: Sequence[int]) -> NDArray[np.int64]:
        """Return the next ids of the rows ``ready``, int64 ``[len(ready)]``."""
        highest = logits.max(axis=1, keepdims=True)
        if not np.isfinite(highest).all():  # the highest of numbers with a NaN among them is NaN
            raise ModelFileError(NOT_NUMBERS)
        normalizer = log_normalizers(logits) if self._log_probabilities else None
        raw = logits.copy() if normalizer is not None else logits
        if len(self._suppressed):
            logits[:, self._suppressed] = -np.inf
        rows = [self._rows[i] for i in ready]
        draws = np.array([next(row.draws) for row in rows], np.float32)
        history = _History(self._tokens, self._lengths, ready)
        try:
            answer = self._decoder.choose(logits, history, draws)
        except BaseException as error:  # the decoder may be anyone's
            blame(f"{title('decoder', self._decoder)} failed", error)
        chosen = self._checked(answer, logits.shape)
        if normalizer is not None:
            for i, row in enumerate(rows):
                row.log_probability += float(raw[i, chosen[i]] - normalizer[i])
        return chosen

    def _checked(self, answer: object, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Hold the decoder to its contract, so that a wrong one is an error rather than a wrong text."""
        batch, vocabulary = shape
        # An array as it is: a subclass, such as a masked array, may answer the checks below as it likes.
        if type(answer) is not np.ndarray or answer.shape != (batch,) or answer.dtype.kind not in "iu":
            raise self._broken(f"must return {batch} token ids as an integer array, not {_shown(answer)}")
        chosen = answer.copy()  # the decoder may go on writing into its own
        if chosen.min() < 0 or chosen.max() >= vocabulary:
            wrong = chosen[(chosen < 0) | (chosen >= vocabulary)][0]
            raise self._broken(f"chose the token {wrong}, outside 0 … {vocabulary - 1}")
        if len(self._suppressed) and np.isin(chosen, self._suppressed).any():
            raise self._broken("chose a token that must not be chosen (its logit is minus infinity)")
        return chosen.astype(np.int64, copy=False)

    def _broken(self, how: str) -> PluginError:
        return PluginError(f"{title('decoder', self._decoder)} {how}")


def _shown(answer: object) -> str:
    if type(answer) is np.ndarray:
        return f"{answer.dtype} {list(answer.shape)}"
    return class_name(answer) if isinstance(answer, np.ndarray) else shown(answer)
