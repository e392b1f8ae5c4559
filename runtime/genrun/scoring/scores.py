"""Scores texts: the log-probability of every token, given the tokens before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.checks.arguments import check_text
from genrun.errors import ModelFileError
from genrun.generating.stepping.session import StepSession
from genrun.tokenizer import Tokenizer

__all__ = ["Score", "SessionScorer", "log_softmax_at", "score_texts", "token_log_probabilities"]


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one text.

    ``token_log_probabilities``: natural logarithms, one for each predicted token, which are all but the first; a
    model with start and end predicts every word and the end. ``unknown``: words outside the vocabulary, scored as the
    unknown token, or left out if the model has none.
    """

    text: str
    token_log_probabilities: tuple[float, ...]
    unknown: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """The number of predicted tokens."""
        return len(self.token_log_probabilities)

    @property
    def log_probability(self) -> float:
        """The log-probability of the whole text: the sum over its tokens."""
        return math.fsum(self.token_log_probabilities)

    @property
    def perplexity(self) -> float:
        """exp(-log-probability / tokens); NaN for a text without predicted tokens.

        (Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition tasks", 1977.)
        """
        if not self.tokens:
            return math.nan
        try:
            return math.exp(-self.log_probability / self.tokens)
        except OverflowError:  # a token has the probability 0
            return math.inf

    def to_json(self) -> dict[str, Any]:
        """Return the score as a JSON-ready dictionary, with None for NaN and infinity."""
        return {
            **asdict(self),
            "token_log_probabilities": tuple(map(_finite, self.token_log_probabilities)),
            "log_probability": _finite(self.log_probability),
            "perplexity": _finite(self.perplexity),
            "tokens": self.tokens,
        }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def token_log_probabilities(session: StepSession, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float64]]:
    """Return, for each sequence of ids, float64 ``[length - 1]``: the log-probability of every token but the first.

    The sequences are one batch; each leaves it at its end. Raises ModelFileError for a NaN.
    """
    order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))
    lengths = np.array([len(sequences[i]) for i in order], np.int64)  # [batch], falling
    tokens = np.zeros((len(order), lengths.max(initial=1)), np.int64)
    for row, i in enumerate(order):
        tokens[row, : lengths[row]] = sequences[i]
    found = np.zeros(tokens.shape)  # [batch, time]; position p has the token p + 1
    states = session.initial_states(len(order))
    for position in range(tokens.shape[1] - 1):
        going = int(np.searchsorted(-lengths, -(position + 1), side="left"))  # number of rows with a next token
        logits, states = session.step(tokens[:going, position], [state[:going] for state in states])
        found[:going, position] = log_softmax_at(logits, tokens[:going, position + 1])
    if np.isnan(found).any():
        raise ModelFileError(f"{session.path}: the model's logits are not numbers")
    scored = dict(zip(order, range(len(order)), strict=True))
    return [found[scored[i], : max(len(sequences[i]) - 1, 0)] for i in range(len(sequences))]


def score_texts(
    session: StepSession,
    tokenizer: Tokenizer,
    texts: Iterable[str],
    batch_size: int,
    labels: tuple[int, ...] = (),
) -> Iterator[Score]:
    """Yield the score of every text, in order; a text may begin with ``<start>``, like a prompt.

    ``labels``: tokens that stand before each text and are not scored.

    Raises OptionError for a text that is not a ``str``, after the scores of the texts before it.
    """
    waiting = iter(texts)
    refused: Exception | None = None
    while refused is None:
        group: list[str] = []
        try:
            for text in islice(waiting, batch_size):
                check_text(text, what="the input to score")
                group.append(text)
        except Exception as error:  # the texts before a bad one are still scored
            refused = error
        if not group:
            break
        encodings = [tokenizer.encode_document(tokenizer.without_start(text)) for text in group]
        scored = token_log_probabilities(session, [encoding.after(labels).ids for encoding in encodings])
        for text, encoding, logs in zip(group, encodings, scored, strict=True):
            yield Score(text, tuple(logs[len(labels) :].tolist()), encoding.unknown)
    if refused is not None:
        raise refused


class SessionScorer:
    """Computes log-probabilities with a model file: of separate sequences, or of one long sequence in parts."""

    def __init__(self, session: StepSession) -> None:
        self._session = session

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return the result of :func:`token_log_probabilities`."""
        return token_log_probabilities(self._session, sequences)

    def carry(
        self, sequence: tuple[int, ...], states: list[NDArray[Any]] | None
    ) -> tuple[NDArray[np.float64], list[NDArray[Any]]]:
        """Return the same for one part of a sequence that begins with ``states``, and the states after it.

        ``states`` is None for the first part. The last token is not fed: the next part must begin with it.
        """
        states = self._session.initial_states(1) if states is None else states
        found = np.zeros(max(len(sequence) - 1, 0))
        for position in range(len(found)):
            logits, states = self._session.step(np.array([sequence[position]], np.int64), states)
            found[position] = log_softmax_at(logits, np.array([sequence[position + 1]], np.int64))[0]
        if np.isnan(found).any():
            raise ModelFileError(f"{self._session.path}: the model's logits are not numbers")
        return found, states


def log_softmax_at(logits: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log-probability of one id in each row, float64 ``[batch]``, for logits ``[batch, vocabulary]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, dtype=np.float64)
    chosen = np.take_along_axis(shifted, ids[:, None], axis=1)[:, 0]
    result: NDArray[np.float64] = chosen - np.log(total)
    return result
