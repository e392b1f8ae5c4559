"""Choosing without asking the decoder: for those that are no more than options of a model file's own nodes.

The graph chooses; or, for several rows on the CPU, NumPy does the same faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import shown
from genrun.choosing.graph_step import GraphStep
from genrun.choosing.numpy_step import ArrayStep
from genrun.contracts import Decoder, GraphDecoder
from genrun.errors import ModelFileError, PluginError
from genrun.generating.row import Row
from genrun.registry import title
from genrun.stepping.session import NOT_NUMBERS, StepSession

__all__ = ["OptionsChoice", "graph_options"]


def graph_options(session: StepSession, decoder: Decoder) -> dict[str, NDArray[Any]] | None:
    """Return what the graph is fed to choose as ``decoder`` does, None where graph or decoder cannot.

    Raises PluginError for a decoder that does not say so as it should.
    """
    if not session.chooses:
        return None
    try:
        if not isinstance(decoder, GraphDecoder):
            return None
        options = decoder.in_graph()
        if options is None:
            return None
        k, temperature = int(options["k"]), float(options.get("temperature", 1.0))
        unknown = set(options) - {"k", "temperature"}
    except BaseException as error:  # the decoder may be anyone's
        blame(f"{title('decoder', decoder)} failed", error)
    if unknown or not (k == -1 or k >= 1) or not 0 < temperature < math.inf:
        raise PluginError(
            f"{title('decoder', decoder)} must say in_graph with 'k', -1 or from 1, and 'temperature', above 0, if "
            f"anything, not {shown(options)}"
        )
    return {"k": np.array([min(k, session.vocabulary)], np.int64), "temperature": np.array(temperature)}


class OptionsChoice:
    """Runs the step of a batch, which chooses by itself; on a GPU tokens and states stay there.

    ``in_graph``: in its graph, however many rows there are.
    """

    def __init__(
        self,
        session: StepSession,
        options: Mapping[str, NDArray[Any]],
        suppressed_ids: Sequence[int],
        *,
        in_graph: bool = False,
    ) -> None:
        self._session = session
        self._options = options
        self._in_graph = in_graph
        self._suppressed = frozenset(suppressed_ids)
        self._rows: Sequence[Row] = ()
        self._draws: list[Iterator[float]] = []
        self._step: GraphStep | ArrayStep  # once there are rows

    def regroup(self, kept: Sequence[int], rows: Sequence[Row]) -> None:
        """Go on with ``rows``: those whose numbers were ``kept``, then new ones."""
        fresh = self._session.unfed(len(rows) - len(kept))
        before = self._step.carried() if self._rows else fresh
        carried = {name: np.concatenate([value[kept], fresh[name]]) for name, value in before.items()}
        try:
            if len(rows) == len(self._rows):
                self._step.load(carried)
            else:
                self._step = self._session.choosing_step(
                    self._options, carried, sorted(self._suppressed), in_graph=self._in_graph
                )
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise self._session.failure(error) from error
        self._rows = rows
        self._draws = [row.draws for row in rows]

    def step(self, tokens: NDArray[np.int64] | None, ready: Sequence[int]) -> list[int]:
        """Feed int64 ``[batch]``, or each row its last choice; return what the rows ``ready`` choose then."""
        self._session.check_going()
        rows, draws = self._rows, None
        if len(ready) == len(rows):
            draws = list(map(next, self._draws))
        elif ready:
            draws = [0.0] * len(rows)
            for i in ready:
                draws[i] = next(self._draws[i])
        try:
            if tokens is not None:
                self._step.load({"token": tokens})
            chosen, logs = self._step.run(draws)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise self._session.failure(error) from error
        if len(ready) != len(chosen):
            chosen, logs = [chosen[i] for i in ready], [logs[i] for i in ready]
        if chosen:
            self._check(chosen, logs)
        for i, log in zip(ready, logs, strict=True):
            rows[i].log_probability += log
        return chosen

    def _check(self, chosen: list[int], logs: list[float]) -> None:
        """Raise ModelFileError for what no sound graph chooses."""
        if min(chosen) < 0 or max(chosen) >= self._session.vocabulary or math.isnan(sum(logs)):
            raise ModelFileError(NOT_NUMBERS)
        if not self._suppressed.isdisjoint(chosen):
            [token, *_] = self._suppressed.intersection(chosen)
            raise ModelFileError(f"{self._session.path}: the graph chose the token {token}, which must not be chosen")
