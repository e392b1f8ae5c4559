"""The gate of the export: what onnxruntime computes with the model file must be what Keras computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.model_file import GoldenText
from genrun.session import StepSession
from genrun.tokenizer import Tokenizer
from genrun.verification import GOLDEN_CASING, greedy_continuations
from genrun_core.corpus import TokenShards

__all__ = ["ParityFigures", "Prompt", "check_parity", "choose_prompts", "golden_texts"]

TOLERANCE = 1e-4
PROMPTS = 32
NEW_TOKENS = 32
BATCH_SIZES = (1, 16)
_LONGEST_PROMPT = 12
_TRIES = 50 * PROMPTS
_CHUNK = 8  # sequences whose logits are held at once


@dataclass(frozen=True, slots=True)
class Prompt:
    """The beginning of a document of the corpus, as text and as the ids that the tokenizer makes of it."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParityFigures:
    """What the gate measured; ``largest_logit_difference`` is over all prompts, steps, tokens and batch sizes."""

    largest_logit_difference: float
    tolerance: float
    prompts: int
    greedy_tokens: int
    batch_sizes: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self), "batch_sizes": list(self.batch_sizes)}


def choose_prompts(tokenizer: Tokenizer, shards: TokenShards) -> list[Prompt]:
    """Return PROMPTS beginnings of documents, of mixed length, that survive the way through text and back.

    A corpus with fewer beginnings gives some of them more than once.
    """
    found: dict[str, Prompt] = {}
    documents = np.random.default_rng(0).permutation(len(shards))
    for number in range(_TRIES):
        ids = shards[int(documents[number % len(documents)])]
        length = 1 + (number + number // len(documents)) % _LONGEST_PROMPT
        prompt = _as_prompt(tokenizer, tuple(int(i) for i in ids[: min(length, max(1, len(ids) - 1))]))
        if prompt is not None:
            found.setdefault(prompt.text, prompt)
        if len(found) == PROMPTS:
            break
    if not found:
        raise ExportError("no document of the corpus begins with words that can be used as a prompt")
    return (list(found.values()) * PROMPTS)[:PROMPTS]


def check_parity(
    network: keras.Model, session: StepSession, prompts: Sequence[Prompt], suppressed_ids: Sequence[int]
) -> tuple[ParityFigures, list[tuple[int, ...]]]:
    """Compare Keras with onnxruntime; return the figures and the greedy continuations.

    Keras reads every prompt and its continuation at once, as in training; onnxruntime goes step by step. If, at each
    position, Keras would choose the token that onnxruntime chose, then both generate the same text. Raises
    ExportError if the logits differ by more than TOLERANCE anywhere, or a token differs.
    """
    chosen = {
        size: greedy_continuations(
            session, [p.ids for p in prompts], count=NEW_TOKENS, batch_size=size, suppressed_ids=suppressed_ids
        )
        for size in BATCH_SIZES
    }
    continuations = chosen[BATCH_SIZES[0]]
    for size in BATCH_SIZES[1:]:
        if chosen[size] != continuations:
            raise ExportError(f"refused: greedy tokens at batch {size} differ from those at batch {BATCH_SIZES[0]}")
    sequences = [prompt.ids + new for prompt, new in zip(prompts, continuations, strict=True)]
    largest = 0.0
    for first in range(0, len(sequences), _CHUNK):
        expected = _keras_logits(network, sequences[first : first + _CHUNK])
        for at, (sequence, logits) in enumerate(zip(sequences[first : first + _CHUNK], expected, strict=True), first):
            _check_greedy(prompts[at], sequence, logits, suppressed_ids)
    for size in BATCH_SIZES:
        largest = max(largest, _largest_difference(network, session, sequences, size))
    if not largest <= TOLERANCE:  # also when it is not a number
        raise ExportError(
            f"refused: logits of Keras and onnxruntime differ by {largest:.2g}, more than {TOLERANCE:g}"
        )
    return ParityFigures(largest, TOLERANCE, len(prompts), NEW_TOKENS, BATCH_SIZES), continuations


def golden_texts(
    tokenizer: Tokenizer, prompts: Sequence[Prompt], continuations: Sequence[tuple[int, ...]]
) -> tuple[GoldenText, ...]:
    """Return what ``genrun verify`` replays, each prompt once."""
    golden = {
        prompt.text: GoldenText(prompt.text, prompt.ids, new, tokenizer.decode((*prompt.ids, *new), GOLDEN_CASING))
        for prompt, new in zip(prompts, continuations, strict=True)
    }
    return tuple(golden.values())


def _as_prompt(tokenizer: Tokenizer, ids: tuple[int, ...]) -> Prompt | None:
    words = [tokenizer.vocabulary[i] for i in ids if i >= len(tokenizer.specials)]
    text = (" " if tokenizer.kind == "word" else "").join(words)
    if not text and tokenizer.special("start") is None:
        return None
    return Prompt(text, ids) if tokenizer.encode_prompt(text).ids == ids else None


def _keras_logits(network: keras.Model, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Return Keras's logits ``[length, vocabulary]`` for each sequence; the padding behind it changes nothing."""
    padded = np.zeros((len(sequences), max(map(len, sequences))), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    logits = np.asarray(network(padded, training=False))
    return [values[: len(sequence)] for values, sequence in zip(logits, sequences, strict=True)]


def _check_greedy(
    prompt: Prompt, sequence: tuple[int, ...], logits: NDArray[np.float32], suppressed_ids: Sequence[int]
) -> None:
    allowed = logits[len(prompt.ids) - 1 : -1].copy()  # [NEW_TOKENS, vocabulary]
    allowed[:, list(suppressed_ids)] = -np.inf
    wanted = tuple(int(token) for token in allowed.argmax(axis=1))
    if wanted != sequence[len(prompt.ids) :]:
        raise ExportError(f"refused: after the prompt {prompt.text!r} Keras and onnxruntime choose different tokens")


def _largest_difference(
    network: keras.Model, session: StepSession, sequences: Sequence[tuple[int, ...]], batch_size: int
) -> float:
    largest = 0.0
    for first in range(0, len(sequences), batch_size):
        group = sequences[first : first + batch_size]
        expected = _keras_logits(network, group)
        for position, logits in enumerate(_step_by_step(session, group)):
            for row, values in enumerate(expected):
                if position < len(values):
                    difference = float(np.abs(logits[row] - values[position]).max())
                    if not difference <= largest:  # larger, or not a number, which must not get lost
                        largest = difference
    return largest


def _step_by_step(session: StepSession, sequences: Sequence[tuple[int, ...]]) -> Iterator[NDArray[np.float32]]:
    """Yield the logits ``[batch, vocabulary]`` after each token of the sequences; shorter ones go on with token 0."""
    states = session.initial_states(len(sequences))
    for position in range(max(map(len, sequences))):
        tokens = np.array([s[position] if position < len(s) else 0 for s in sequences], np.int64)
        logits, states = session.step(tokens, states)
        yield logits
