"""Texts written by what a run has learnt, before it is exported: a network, an n-gram model, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.generating.choosing.binding import bound, chosen
from genrun.generating.choosing.tokens import Tokens
from genrun.loading.originality import TrainingRuns
from genrun.tokenizer import Tokenizer
from genrun_core.counting.mixed import Mixed
from genrun_core.counting.model import CountingModel

if TYPE_CHECKING:
    import tensorflow as tf

    from genrun_core.network.body_and_head import Body, Head

__all__ = ["CountingSteps", "MixedSteps", "NetworkSteps", "Steps", "write_ids"]

Logits = NDArray[np.float32]


class Steps(Protocol):
    """What gives the logits of the next token, for rows that leave one by one."""

    def logits(self, rows: Sequence[list[int]], kept: Sequence[int] | None) -> Logits:
        """Return logits float32 ``[rows, vocabulary]`` after ``rows``, token ids from the beginning of each.

        ``kept``: which rows of the call before these are, each longer by a token since; None in the first call,
        where all rows have one length.
        """


class NetworkSteps:
    """A network as steps; its ``body`` and ``head``."""

    def __init__(self, body: Body, head: Head) -> None:
        self._body, self._head = body, head
        self._states: list[tf.Tensor] = []

    def logits(self, rows: Sequence[list[int]], kept: Sequence[int] | None) -> Logits:
        """Return the logits after ``rows``; see :class:`Steps`."""
        import tensorflow as tf

        if kept is None:
            self._states = self._body.initial_states(len(rows))
            tokens = tf.constant(rows, tf.int32)
        else:
            if self._states and len(kept) < self._states[0].shape[0]:
                self._states = [tf.gather(state, list(kept)) for state in self._states]
            # what has no states, a window of one token, reads each text again
            tokens = tf.constant([row[-1:] if self._states else row for row in rows], tf.int32)
        hidden, self._states = self._body(tokens, self._states, training=False)
        return np.array(self._head(hidden[:, -1]))


class CountingSteps:
    """An n-gram model as steps."""

    def __init__(self, model: CountingModel) -> None:
        self._model = model

    def logits(self, rows: Sequence[list[int]], kept: Sequence[int] | None) -> Logits:
        """Return the logits after ``rows``; see :class:`Steps`."""
        with np.errstate(divide="ignore"):  # of what never occurs
            found = [np.log(self._model.distribution(self._model.contexts(np.array(row)))) for row in rows]
        return np.array(found, np.float32)


class MixedSteps:
    """A network mixed with an n-gram model as steps."""

    def __init__(self, network: NetworkSteps, mixed: Mixed) -> None:
        self._network, self._mixed = network, mixed

    def logits(self, rows: Sequence[list[int]], kept: Sequence[int] | None) -> Logits:
        """Return the logits after ``rows``; see :class:`Steps`."""
        logits = self._network.logits(rows, kept).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        found = [self._mixed.mix_next(of_network, row) for of_network, row in zip(logs, rows, strict=True)]
        return np.array(found, np.float32)


def write_ids(
    steps: Steps,
    tokenizer: Tokenizer,
    decoder: Decoder,
    prompts: Sequence[Sequence[int]],
    draws: Sequence[Iterator[float]],
    length: int,
    runs: TrainingRuns | None = None,
) -> list[list[int]]:
    """Return the token ids of a text for each of ``prompts``, which have one length, and are part of it.

    ``draws``: uniform numbers from 0 to 1 for each text; ``length``: new tokens at most; ``runs``: what is known of
    the training text, for the decoder. A text ends before ``<end>``, and has no other special token; a text from
    nothing has one token at least, as in a model file.
    """
    end = tokenizer.special("end")
    named = (tokenizer.special(name) for name in ("pad", "unk", "start"))
    suppressed = [*(token for token in named if token is not None), *tokenizer.labels.tokens]
    decoder = bound(decoder, tokenizer, [] if end is None else [end], runs)
    rows, live = [list(prompt) for prompt in prompts], list(range(len(prompts)))
    new: list[list[int]] = [[] for _ in prompts]
    texts = [Tokens(prompt, added) for prompt, added in zip(prompts, new, strict=True)]
    kept: list[int] | None = None
    for _ in range(length):
        logits = steps.logits([rows[row] for row in live], kept)
        logits[:, suppressed] = -np.inf
        drawn = np.array([next(draws[row]) for row in live], np.float32)
        ids = chosen(decoder, logits, [texts[row] for row in live], drawn).tolist()
        for place, row in enumerate(live) if kept is None else ():
            if ids[place] == end and rows[row][len(tokenizer.labels) :] == [tokenizer.special("start")]:
                texts[row], among = Tokens(prompts[row], new[row]), logits[place : place + 1]
                among[:, end] = -np.inf
                ids[place] = int(chosen(decoder, among, [texts[row]], np.array([next(draws[row])], np.float32))[0])
        kept = [place for place, token in enumerate(ids) if token != end]
        live = [live[place] for place in kept]
        if not live:
            break
        for place, row in zip(kept, live, strict=True):
            rows[row].append(ids[place])
            new[row].append(ids[place])
    return rows
