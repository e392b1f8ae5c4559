"""The gate of the export: what onnxruntime computes with the model file must be what Keras computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun_export.choice_parity import check_choices
from genrun_export.greedy import BATCH_SIZES, NEW_TOKENS, clear_choices, continuations, step_by_step
from genrun_export.prompts import Prompt

if TYPE_CHECKING:
    import keras

__all__ = ["DRAWN_TOKENS", "ParityFigures", "check_parity"]

TOLERANCE = 1e-4
DRAWN_TOKENS = 16
_CLEAR = 0.02  # between the highest logit and the next


@dataclass(frozen=True, slots=True)
class ParityFigures:
    """What the gate measured, over all prompts, tokens and batch sizes."""

    largest_logit_difference: float
    tolerance: float
    prompts: int
    greedy_tokens: int
    drawn_tokens: int
    batch_sizes: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self), "batch_sizes": list(self.batch_sizes)}

    def __str__(self) -> str:
        """Return the figures in words."""
        return (
            f"same {self.greedy_tokens} greedy tokens as Keras for {self.prompts} prompts at batch "
            f"{' and '.join(map(str, self.batch_sizes))}; largest logit difference "
            f"{self.largest_logit_difference:.1e} (allowed {self.tolerance:.0e})"
        )


def check_parity(
    network: keras.Model, session: StepSession, prompts: Sequence[Prompt], suppressed_ids: Sequence[int]
) -> tuple[ParityFigures, list[tuple[int, ...]]]:
    """Compare Keras with onnxruntime; return the figures and the decided parts of the greedy continuations.

    Keras reads a sequence at once, as in training; onnxruntime goes step by step. Logits are compared at every token
    of the prompts' documents, and of the prompts with their continuations. Greedy tokens: if, at each position, Keras
    would choose the token that onnxruntime chose, then both generate the same text. Raises ExportError if the logits
    differ by more than TOLERANCE anywhere, or a token differs. What the graph itself chooses is held to what the
    decoders choose from its logits, for DRAWN_TOKENS tokens after each prompt.

    A continuation is returned only as far as each choice was clear (by _CLEAR): that part is the same on every
    machine, and can be replayed there.
    """
    documents = _within_tolerance(network, session, [prompt.document for prompt in prompts], "on documents")
    greedy = continuations(session, prompts, suppressed_ids)
    sequences = [prompt.ids + new for prompt, new in zip(prompts, greedy, strict=True)]
    decided = [
        _check_greedy(prompt, sequence, _keras_logits(network, [sequence])[0], suppressed_ids)
        for prompt, sequence in zip(prompts, sequences, strict=True)
    ]
    along = _within_tolerance(network, session, sequences, "along greedy continuations")
    check_choices(
        session,
        [prompt.ids for prompt in prompts],
        count=DRAWN_TOKENS,
        batch_sizes=BATCH_SIZES,
        suppressed_ids=suppressed_ids,
    )
    figures = ParityFigures(max(documents, along), TOLERANCE, len(prompts), NEW_TOKENS, DRAWN_TOKENS, BATCH_SIZES)
    return figures, [new[:count] for new, count in zip(greedy, decided, strict=True)]


def _within_tolerance(
    network: keras.Model, session: StepSession, sequences: Sequence[tuple[int, ...]], where: str
) -> float:
    """Return the largest difference of logits at any batch size; raises ExportError above TOLERANCE."""
    largest = float(np.max([_largest_difference(network, session, sequences, size) for size in BATCH_SIZES]))
    if not largest <= TOLERANCE:  # also when it is not a number
        raise ExportError(
            f"refused: logits of Keras and onnxruntime differ by {largest:.2g} {where}, more than {TOLERANCE:g}"
        )
    return largest


def _keras_logits(network: keras.Model, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Return Keras's logits ``[length, vocabulary]`` for each sequence; the padding behind it changes nothing."""
    padded = np.zeros((len(sequences), max(map(len, sequences))), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    logits = np.asarray(network(padded, training=False))
    return [values[: len(sequence)] for values, sequence in zip(logits, sequences, strict=True)]


def _check_greedy(
    prompt: Prompt, sequence: tuple[int, ...], logits: NDArray[np.float32], suppressed_ids: Sequence[int]
) -> int:
    """Check the choices along a continuation, and return how many of them, from the first, were clear."""
    allowed = logits[len(prompt.ids) - 1 : -1].copy()  # [NEW_TOKENS, vocabulary]
    allowed[:, list(suppressed_ids)] = -np.inf
    wanted = tuple(allowed.argmax(axis=1).tolist())
    if wanted != sequence[len(prompt.ids) :]:
        raise ExportError(f"refused: after the prompt {prompt.text!r} Keras and onnxruntime choose different tokens")
    return clear_choices(allowed, _CLEAR)


def _largest_difference(
    network: keras.Model, session: StepSession, sequences: Sequence[tuple[int, ...]], batch_size: int
) -> float:
    largest = 0.0
    for first in range(0, len(sequences), batch_size):
        group = sequences[first : first + batch_size]
        expected = _keras_logits(network, group)
        for position, logits in enumerate(step_by_step(session, group)):
            for row, values in enumerate(expected):
                if position < len(values):
                    # np.maximum keeps a difference that is not a number, which max() may lose
                    largest = np.maximum(largest, np.abs(logits[row] - values[position]).max())
    return float(largest)
