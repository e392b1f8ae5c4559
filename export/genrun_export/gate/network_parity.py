"""The gate of a network in a file: its weights, its steps, and how it predicts documents, against Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from genrun.generating.stepping.session import StepSession
from genrun.scoring.scores import log_softmax_at
from genrun_export.gate.double_precision import DoublePrecision, Trace
from genrun_export.gate.file_step import FileStep
from genrun_export.gate.free_run import padded, read_documents
from genrun_export.gate.keras_step import KerasStep
from genrun_export.gate.local_parity import ALLOWED_RATIO, LocalSteps, Steps, take_steps
from genrun_export.gate.weight_parity import check_weights
from genrun_export.graph.step import named_weights

__all__ = ["NetworkFigures", "NetworkGate"]

_TEXTS = 8  # at once in double precision
_IDS = 256  # of the vocabulary, fed at once
_COLUMNS = 1024  # of the logits after an id; the other columns are compared after other ids
_KEPT = 64  # steps of some texts from which the vocabulary is fed
_ALONE = 32  # steps that are also taken alone
_BATCH = 16


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """What the gate of a network measured.

    ``weights``: numbers that are the same to the bit. ``steps``: single steps that were compared, with ``fed_ids``
    of the vocabulary each fed once. ``rounding_ratio``: the largest rounding error of the file in terms of Keras's,
    of which ``allowed_ratio`` is allowed. ``perplexity``: of documents by the file. ``largest_logit_difference``:
    between both along whole texts; it grows with the network's own sensitivity and is no limit.
    """

    weights: int
    steps: int
    fed_ids: int
    rounding_ratio: float
    allowed_ratio: float
    perplexity: float
    keras_perplexity: float
    largest_logit_difference: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def __str__(self) -> str:
        """Return the figures in words."""
        return (
            f"all {self.weights:,} weights as trained; in {self.steps:,} steps with all {self.fed_ids:,} tokens, "
            f"rounding errors up to {self.rounding_ratio:.1f} times those of Keras (allowed {self.allowed_ratio:g}); "
            f"perplexity of documents {self.perplexity:.5g}, by Keras {self.keras_perplexity:.5g}"
        )


class NetworkGate:
    """Compares the network in the open file ``session`` with ``network``."""

    def __init__(self, network: keras.Model, session: StepSession) -> None:
        self._double = DoublePrecision(network)
        self.file = FileStep(session)
        self.keras = KerasStep(network)
        self._network = network
        self._kept: list[Steps] = []
        self._local = LocalSteps(self.file, self.keras, self._double, session.vocabulary)

    def check_on(self, documents: Sequence[tuple[int, ...]]) -> None:
        """Compare the weights, single steps along documents (ids each), and the perplexity of the documents.

        Every weight must be the same to the bit. Steps are taken by the file, by Keras and in double precision from
        the same states, those after each token; the file's errors may be ALLOWED_RATIO times Keras's. Raises
        ExportError with the name of what differs.
        """
        self.file.check_states(self._double.initial_states(1))
        outputs = self.file.outputs
        self._weights = check_weights(
            self.file.session.path, named_weights(self._network), outputs, self._double.constants
        )
        documents = list(dict.fromkeys(documents))
        exact = [*self._follow(documents, "on documents")]
        for _ in self._local.feed(self._kept[0][:_ALONE], "alone", batch=1):
            pass
        self._local.check()
        self._likely = read_documents(self.file, self.keras, documents, _BATCH)
        self._likely.check(np.concatenate(exact))

    def check_along(self, texts: Sequence[tuple[int, ...]]) -> NetworkFigures:
        """Compare single steps along other texts and with every id of the vocabulary, and return all figures."""
        for _ in self._follow(list(dict.fromkeys(texts)), "along continuations"):
            pass
        self._feed_vocabulary(_some_states(self._kept))
        return NetworkFigures(
            self._weights,
            self._local.steps,
            self._local.vocabulary,
            self._local.check(),
            ALLOWED_RATIO,
            *self._likely.perplexities(),
            self._likely.largest_difference,
        )

    def _follow(self, texts: Sequence[tuple[int, ...]], where: str) -> Iterator[NDArray[np.float64]]:
        """Take the steps of texts; yield the exact logarithm of each token that is predicted, and keep some steps."""
        for first in range(0, len(texts), _TEXTS):
            tokens, real = padded(texts[first : first + _TEXTS])
            steps = take_steps(self._double, tokens, real=real)
            followers, predicted = np.roll(tokens, -1, axis=1), np.roll(real, -1, axis=1)
            predicted[:, -1] = False
            count = len(steps.tokens)
            self._kept.append(steps[np.arange(0, count, 1 + count // _KEPT)])  # a copy, so that the rest may go
            at = 0
            for logits in self._local.feed(steps, where):
                part = slice(at, at + len(logits))
                going = predicted[real][part]
                yield log_softmax_at(logits[going].astype(np.float32), followers[real][part][going])
                at = part.stop

    def _feed_vocabulary(self, states: Trace) -> None:
        """Feed every id once, from some of the states that texts came to."""
        chance = np.random.default_rng(0)
        rows = len(states.hidden)
        for first in range(0, self._local.vocabulary, _IDS):
            ids = np.arange(first, min(first + _IDS, self._local.vocabulary))
            before = states[chance.integers(rows, size=len(ids))].before
            steps = take_steps(self._double, ids[:, None], before)
            self._local.feed_parts(steps, "where every token is fed once", slice(first, first + _COLUMNS))


def _some_states(kept: Sequence[Steps]) -> Trace:
    """Return the states of all kept steps."""
    traces = [steps.trace for steps in kept]
    before = [np.concatenate(parts) for parts in zip(*(trace.before for trace in traces), strict=True)]
    return Trace(before, [], np.concatenate([trace.hidden for trace in traces]))
