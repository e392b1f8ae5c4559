"""The gate of the export: what onnxruntime computes with the model file must be what Keras computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.scoring.verification import greedy_continuations
from genrun_export.gate.choice_parity import check_choices
from genrun_export.gate.free_run import side_by_side
from genrun_export.gate.greedy import BATCH_SIZES, DRAWN_TOKENS, NEW_TOKENS
from genrun_export.gate.network_parity import NetworkFigures, NetworkGate
from genrun_export.gate.prompts import Prompt

if TYPE_CHECKING:
    import keras

__all__ = ["CLEAR", "ParityFigures", "check_parity"]

CLEAR = 0.02  # between the highest logit and the next
_COUNTS: dict[str, Any] = {"greedy_tokens": NEW_TOKENS, "drawn_tokens": DRAWN_TOKENS, "batch_sizes": BATCH_SIZES}


@dataclass(frozen=True, slots=True)
class ParityFigures(NetworkFigures):
    """What the gate of the network and that of its texts measured, the latter for all prompts and batch sizes."""

    prompts: int
    greedy_tokens: int
    drawn_tokens: int
    batch_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _KerasChoices:
    """What Keras would choose along continuations: ``tokens`` ``[prompts, NEW_TOKENS]``, each by a ``margin``."""

    tokens: NDArray[np.int64]
    margin: NDArray[np.float32]

    def clear(self, row: int, margin: float) -> int:
        """Return how many of the choices of a prompt, from the first, are clear by a margin."""
        unclear = np.flatnonzero(self.margin[row] < margin)
        return int(unclear[0]) if len(unclear) else NEW_TOKENS


def check_parity(
    network: keras.Model, session: StepSession, prompts: Sequence[Prompt], suppressed_ids: Sequence[int]
) -> tuple[ParityFigures, list[tuple[int, ...]]]:
    """Compare Keras with onnxruntime; return the figures and the decided parts of the greedy continuations.

    First the network, as :class:`NetworkGate` does: on the prompts' documents, and on the prompts with their
    continuations. Then the texts. Where Keras's choice is clear by more than twice the largest difference of logits
    along whole texts, onnxruntime must have made it, at any batch size. What the graph itself chooses is held to what
    the decoders choose from its logits, for DRAWN_TOKENS tokens after each prompt. Raises ExportError.

    A continuation is returned only as far as each choice was clear (by CLEAR at least): that part is the same on
    every machine, and can be replayed there.
    """
    gate = NetworkGate(network, session)
    gate.check_on([prompt.document for prompt in prompts])
    starts = [prompt.ids for prompt in prompts]
    greedy = [
        greedy_continuations(session, starts, count=NEW_TOKENS, batch_size=size, suppressed_ids=suppressed_ids)
        for size in BATCH_SIZES
    ]
    texts = [ids + new for ids, new in zip(starts, greedy[0], strict=True)]
    figures = gate.check_along(texts)
    choices, along = _keras_choices(gate, starts, texts, suppressed_ids)
    largest = max(figures.largest_logit_difference, along)
    _check_greedy(prompts, greedy, choices, 2 * largest)
    check_choices(session, starts, count=DRAWN_TOKENS, batch_sizes=BATCH_SIZES, suppressed_ids=suppressed_ids)
    measured = {**asdict(figures), "largest_logit_difference": largest}
    complete = ParityFigures(**measured, prompts=len(prompts), **_COUNTS)
    return complete, [new[: choices.clear(row, max(CLEAR, 2 * largest))] for row, new in enumerate(greedy[0])]


def _keras_choices(
    gate: NetworkGate,
    starts: Sequence[tuple[int, ...]],
    texts: Sequence[tuple[int, ...]],
    suppressed_ids: Sequence[int],
) -> tuple[_KerasChoices, float]:
    """Return what Keras would choose along ``texts``, and the largest difference of logits at any batch size."""
    choices = _KerasChoices(
        np.zeros((len(texts), NEW_TOKENS), np.int64), np.zeros((len(texts), NEW_TOKENS), np.float32)
    )
    lengths = np.array([len(start) for start in starts])
    largest = 0.0
    for at in side_by_side(gate.file, gate.keras, texts, BATCH_SIZES):
        largest = float(np.maximum(largest, at.difference))  # keeps what is not a number
        places = at.time + 1 - lengths[at.rows]  # of the token that follows, in the continuation
        following = (places >= 0) & (places < NEW_TOKENS)
        allowed = at.keras[following].copy()
        allowed[:, list(suppressed_ids)] = -np.inf
        highest = np.partition(allowed, -2, axis=1)[:, -2:]
        where = at.rows[following], places[following]
        choices.tokens[where] = allowed.argmax(axis=1)
        choices.margin[where] = highest[:, 1] - highest[:, 0]
    if not np.isfinite(largest):
        raise ExportError("refused: logits in the file are not numbers along continuations")
    return choices, largest


def _check_greedy(
    prompts: Sequence[Prompt], greedy: Sequence[Sequence[tuple[int, ...]]], choices: _KerasChoices, margin: float
) -> None:
    """Raise ExportError unless all clear choices are Keras's, and the same at any batch size."""
    for row, prompt in enumerate(prompts):
        first, *others = (np.array(continued[row]) for continued in greedy)
        clear = choices.margin[row] > margin
        differing = np.flatnonzero(clear & (choices.tokens[row] != first))
        if len(differing):
            place = int(differing[0])
            raise ExportError(
                f"refused: after the prompt {prompt.text!r} the file chooses {first[place]} as new token "
                f"{place + 1}, not {choices.tokens[row, place]} as Keras does"
            )
        until = choices.clear(row, margin)
        if any((other[:until] != first[:until]).any() for other in others):
            raise ExportError(f"refused: greedy tokens differ between batch {' and '.join(map(str, BATCH_SIZES))}")
