"""Runs the steps of a batch and has a token chosen for each row, by the decoder or by the graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.generating.choosing.checked_choice import checked_choice
from genrun.generating.choosing.decoder_step import Allowed, DecoderStep
from genrun.generating.choosing.graph_step import GraphStep
from genrun.generating.choosing.policy import ChooseWith, choosing_parameters, graph_is_faster, only_reads
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.stepping.session import StepSession
from genrun.sampling import log_normalizers

__all__ = ["Chooser"]


class Chooser:
    """Holds the states of the rows of a batch, feeds them tokens and returns what is chosen next.

    ``choose_with``: ``decoder`` leaves every choice to the decoder; ``graph`` has the graph choose wherever it can
    stand in for the decoder; ``auto`` does what is faster. All choose the same from the same draws.
    """

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        suppressed_ids: Sequence[int],
        *,
        log_probabilities: bool,
        choose_with: ChooseWith = "auto",
    ) -> None:
        self._session = session
        self._decoder = decoder
        self._suppressed_ids = suppressed_ids
        self._log_probabilities = log_probabilities
        self._choose_with = choose_with
        self._parameters = choosing_parameters(session, decoder)
        self._reads_only = self._parameters is not None or only_reads(decoder)
        self._restricted = False
        self._first_logits: dict[tuple[int, ...], NDArray[np.float32]] = {}
        self._texts: list[Tokens] = []
        self._step: GraphStep | DecoderStep  # once there are rows

    def uses_graph(self, rows: int) -> bool:
        """Return whether the graph chooses for a batch of ``rows``."""
        if self._parameters is None or not self._session.chooses or self._choose_with == "decoder":
            return False
        return self._choose_with == "graph" or graph_is_faster(self._session, self._parameters, rows)

    def replace_finished(self, kept: Sequence[int], joining: Sequence[Tokens]) -> None:
        """Go on with the rows whose numbers are ``kept``, and with new texts behind them."""
        fresh = self._session.initial_inputs(len(joining))
        texts = [*(self._texts[i] for i in kept), *joining]
        try:
            before = self._step.carried() if self._texts else fresh
            carried = {name: np.concatenate([value[kept], fresh[name]]) for name, value in before.items()}
            if len(texts) == len(self._texts):
                self._step.load(carried)
            else:
                self._step = self._made(carried)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise self._session.step_error(error) from error
        self._texts = texts

    def step(
        self,
        tokens: NDArray[np.int64] | None,
        ready: Sequence[int],
        draws: Sequence[float],
        allowed: Allowed | None = None,
    ) -> tuple[list[int], list[float]]:
        """Feed int64 ``[batch]``, or each row its last choice; return what the rows ``ready`` choose then.

        ``draws``: one uniform number for each ready row. ``allowed``: of each ready row the ids that it may choose,
        None for all; then the decoder chooses, since the graph does not know them. Returns the id that each ready row
        chooses, and its log-probability by the model, 0 unless asked for. Raises ModelFileError for logits that are
        not numbers, PluginError for a decoder that breaks its contract.
        """
        self._restrict(allowed is not None)
        if tokens is not None:
            self._step.load({"token": tokens})
        texts = self._texts if len(ready) == len(self._texts) else [self._texts[i] for i in ready]
        if isinstance(self._step, GraphStep):
            return self._step.run(ready, draws, texts)
        return self._step.run(ready, draws, texts, allowed)

    def choose_again(
        self, place: int, text: Tokens, draws: Iterator[float], refused: Collection[int]
    ) -> tuple[int, float] | None:
        """Choose the first token of ``text``, the one in ``place``, once more, among all but the ids ``refused``.

        The text takes its next draw, so that its tokens have the probabilities that they have given that it begins.
        Returns what :meth:`step` returns of a row, or None if the model allows nothing else.
        """
        logits = self._after(tuple(text.array().tolist()))  # [1, vocabulary]
        among = logits.copy()
        among[:, [*self._suppressed_ids, *refused]] = -np.inf
        if not np.isfinite(among).any():
            return None
        self._texts[place] = text
        draw = np.array([next(draws)], np.float32)
        [token] = checked_choice(self._decoder, among, [text], draw, frozenset((*self._suppressed_ids, *refused)))
        tokens = self._step.carried()["token"]
        tokens[place] = token
        self._step.load({"token": tokens})
        return token, float(logits[0, token] - log_normalizers(logits)[0]) if self._log_probabilities else 0.0

    def _after(self, prompt_ids: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the logits float32 ``[1, vocabulary]`` after a prompt, which is read once."""
        if prompt_ids not in self._first_logits:
            states = self._session.initial_states(1)
            for token in prompt_ids:
                logits, states = self._session.step(np.array([token], np.int64), states)
            self._first_logits = {prompt_ids: logits}
        return self._first_logits[prompt_ids]

    def _restrict(self, restricted: bool) -> None:
        """Have the decoder choose while choices are ``restricted``, and what is faster again after that."""
        if restricted is self._restricted:
            return
        self._restricted = restricted
        if self._parameters is None or not self.uses_graph(len(self._texts)):
            return
        try:
            self._step = self._made(self._step.carried())
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise self._session.step_error(error) from error

    def _made(self, carried: dict[str, NDArray[Any]]) -> GraphStep | DecoderStep:
        if self._parameters is not None and not self._restricted and self.uses_graph(len(carried["token"])):
            return GraphStep(self._session, self._parameters, self._suppressed_ids, carried)
        return DecoderStep(
            self._session,
            self._decoder,
            self._suppressed_ids,
            carried,
            log_probabilities=self._log_probabilities,
            read_only=self._reads_only,
        )
