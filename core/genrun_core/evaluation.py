"""How well a run or an exported model predicts texts that it has not seen: perplexity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun import registry
from genrun.errors import CorpusError
from genrun.model import load
from genrun.scoring import token_log_probabilities
from genrun.tokenizer import Tokenizer
from genrun_core.backend import prepare_backend
from genrun_core.corpus import read_documents
from genrun_core.run_folder import RunFolder
from genrun_core.settings import PluginChoice
from genrun_core.terminal import shown

__all__ = ["Evaluation", "evaluate"]

_BATCH_SIZE = 32
_POSITIONS = 1024  # whose logits Keras holds at once

# Sequences of token ids → for each, the log-probability of every token but the first.
Scorer = Callable[[Sequence[tuple[int, ...]]], list[NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation measured, summed over all documents.

    ``tokens`` were predicted, ends of documents included; ``characters`` are those of the documents as read;
    ``unknown`` words are outside the vocabulary. ``log_probability``: natural logarithm.
    """

    documents: int
    tokens: int
    characters: int
    unknown: int
    log_probability: float

    @property
    def perplexity(self) -> float:
        """exp of the mean negative log-probability of a token."""
        return math.exp(-self.log_probability / self.tokens)

    @property
    def bits_per_character(self) -> float:
        """The mean negative log2-probability of a character: comparable between tokenizers without unknown words."""
        return -self.log_probability / math.log(2) / self.characters

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self), "perplexity": self.perplexity, "bits_per_character": self.bits_per_character}


def evaluate(path: Path, sources: Sequence[str], reader: PluginChoice | None = None) -> Evaluation:
    """Evaluate the run folder or model file at ``path`` on ``sources``; both give the same figures.

    Without ``reader``, a run reads as it was trained, and a model file reads lines of text. Raises CorpusError,
    RunFolderError, ModelFileError, and CorpusError where there is nothing to predict.
    """
    if path.is_dir():
        run = RunFolder.open(path)
        tokenizer, score = run.tokenizer(), _keras_scorer(run)
        chosen = reader or run.recipe().reader
    else:
        model = load(path)
        tokenizer = model.tokenizer
        chosen = reader or PluginChoice("text")

        def score(sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
            return token_log_probabilities(model._session, sequences)

    documents = read_documents(registry.make_reader(chosen.name, chosen.options), sources)
    return _sum(shown(documents, "evaluating"), tokenizer, score, sources)


def _sum(documents: Iterator[str], tokenizer: Tokenizer, score: Scorer, sources: Sequence[str]) -> Evaluation:
    count = tokens = characters = unknown = 0
    total = 0.0
    while group := list(islice(documents, _BATCH_SIZE)):
        encodings = [tokenizer.encode_document(document) for document in group]
        scored = score([encoding.ids for encoding in encodings])
        count += len(group)
        characters += sum(map(len, group))
        unknown += sum(len(encoding.unknown) for encoding in encodings)
        tokens += sum(map(len, scored))
        total += math.fsum(float(logs.sum()) for logs in scored)
    if not tokens:
        raise CorpusError(f"{' '.join(sources)}: no document has two tokens, so there is nothing to predict")
    return Evaluation(count, tokens, characters, unknown, total)


def _keras_scorer(run: RunFolder) -> Scorer:
    prepare_backend("evaluating a run")
    import tensorflow as tf

    from genrun_core.architecture import load_network
    from genrun_core.parts import Body, Head

    network = load_network(run.network_file)
    body, head = Body(network), Head(network)

    def score(sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        padded = np.zeros((len(sequences), max(2, *map(len, sequences))), np.int32)
        for row, sequence in zip(padded, sequences, strict=True):
            row[: len(sequence)] = sequence
        states = body.initial_states(len(sequences))
        hidden, _ = body(padded[:, :-1], states, training=False)  # [batch, time, hidden]
        return [_keras_logs(hidden[i], sequence) for i, sequence in enumerate(sequences)]

    def _keras_logs(hidden: tf.Tensor, sequence: tuple[int, ...]) -> NDArray[np.float64]:
        parts = [np.zeros(0)]
        for first in range(0, len(sequence) - 1, _POSITIONS):
            wanted = np.array(sequence[first + 1 : first + 1 + _POSITIONS], np.int32)
            logits = head(hidden[first : first + len(wanted)])  # [positions, vocabulary]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
            parts.append(-np.asarray(losses, np.float64))
        return np.concatenate(parts)

    return score
