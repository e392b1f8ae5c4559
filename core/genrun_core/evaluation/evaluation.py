"""How well a run or an exported model predicts texts that it has not seen: perplexity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genrun.errors import CorpusError, OptionError
from genrun.model import load
from genrun.scoring.scores import SessionScorer
from genrun.tokenizer import Tokenizer
from genrun_core.corpus.labelling import labels_of
from genrun_core.corpus.progress_bar import with_progress_bar
from genrun_core.corpus.reading import make_reader, read_documents
from genrun_core.counting.counting_file import load_counting, load_mixed
from genrun_core.evaluation.counting_scorer import CountingScorer, MixedScorer
from genrun_core.recipes.architectures import may_carry
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder

__all__ = ["Evaluation", "evaluate", "evaluate_held_out"]

_BATCH_SIZE = 32

Scored = tuple[Sequence[int], NDArray[np.float64]]  # the tokens that were predicted, and their log-probabilities
Score = Callable[[Sequence[tuple[int, ...]]], list[Scored]]


class Scorer(Protocol):
    """What knows log-probabilities: of sequences that have nothing to do with each other, and of one that goes on."""

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""

    def carry(self, sequence: tuple[int, ...], states: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the same for one sequence that begins with ``states`` (None: none), and those for going on."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation measured, summed over all documents.

    ``tokens`` were predicted, ends of documents included; ``characters`` are those of the documents as read;
    ``unknown`` words are outside the vocabulary; ``unknown_tokens`` of the predicted ones stand for them, with
    ``unknown_log_probability`` of the ``log_probability``. Logarithms are natural.
    """

    documents: int
    tokens: int
    characters: int
    unknown: int
    log_probability: float
    unknown_tokens: int = 0
    unknown_log_probability: float = 0.0

    @property
    def perplexity(self) -> float:
        """exp of the mean negative log-probability of a token."""
        return _perplexity(self.log_probability, self.tokens)

    @property
    def known_perplexity(self) -> float:
        """The same over the tokens that are words of the vocabulary; not a number if there are none."""
        return _perplexity(self.log_probability - self.unknown_log_probability, self.tokens - self.unknown_tokens)

    @property
    def bits_per_character(self) -> float:
        """The mean negative log2-probability of a character: comparable between tokenizers without unknown words."""
        return -self.log_probability / math.log(2) / self.characters if self.characters else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        names = "perplexity", "known_perplexity", "bits_per_character"
        return {**asdict(self), **{name: getattr(self, name) for name in names}}


def _perplexity(log_probability: float, tokens: int) -> float:
    mean = -log_probability / tokens if tokens else math.nan
    return math.inf if mean >= 700 else math.exp(mean)


def evaluate(
    path: Path,
    sources: Sequence[str],
    reader: PluginChoice | None = None,
    *,
    running_text: bool | None = None,
    labels: Mapping[str, str] | None = None,
) -> Evaluation:
    """Evaluate the run folder or model file at ``path`` on ``sources``; both give the same figures.

    Without ``reader``, a run reads as it was trained, and a model file reads lines of text. ``running_text``: the
    documents are one text, each predicted after those before it; left out, that is so if it was so in training.
    ``labels`` replace those that the reader finds; an empty value is no label.
    Raises CorpusError, RunFolderError, ModelFileError, and CorpusError where there is nothing to predict.
    """
    if path.is_dir():
        run = RunFolder.open(path)
        recipe, tokenizer = run.recipe(), run.tokenizer()
        was_running, chosen = recipe.training.running_text, reader or recipe.reader
        scorer = _scorer(run, recipe, tokenizer)
        carries = recipe.model.plugin.carries
    else:
        model = load(path)
        tokenizer = model.tokenizer
        was_running = _said(model.card, "training", "running text") is True
        carries = may_carry(_said(model.card, "architecture", "architecture"))
        chosen = reader or PluginChoice("text")
        scorer = SessionScorer(model._session)
    if running_text and not carries:
        raise OptionError("a window model carries no state from text to text: --documents")
    tokenizer.labels.ids(labels)  # refuses wrong ones
    documents = with_progress_bar(read_documents(make_reader(chosen), sources), "evaluating")
    running = was_running if running_text is None else running_text
    score = _carried(scorer) if running else _apart(scorer, len(tokenizer.labels))
    result = _sum(documents, tokenizer, score, labels or {})
    if not result.tokens:
        raise CorpusError(f"{' '.join(sources)}: no document has two tokens, so there is nothing to predict")
    return result


def evaluate_held_out(path: Path, labels: Mapping[str, str] | None = None) -> Evaluation:
    """Evaluate the run folder at ``path`` on the documents that its training held out, as they were read then.

    The corpus is not needed, so ``characters`` is 0 and the bits a character are not a number. ``labels`` replace
    those of the documents; an empty value is no label. Raises RunFolderError, CorpusError for a run that held out
    nothing, and OptionError for wrong labels.
    """
    run = RunFolder.open(path)
    recipe, tokenizer = run.recipe(), run.tokenizer()
    shards, unk = run.shards(tokenizer), tokenizer.special("unk")
    if not len(shards.held_out):
        raise CorpusError(f"{path} held out no documents; name a CORPUS that it was not trained on")
    scorer = _scorer(run, recipe, tokenizer)
    score = _carried(scorer) if recipe.training.running_text else _apart(scorer, len(tokenizer.labels))
    for place, (token, label) in enumerate(zip(tokenizer.labels.ids(labels), tokenizer.labels.all, strict=True)):
        if label.name in (labels or {}):
            shards.labels[:, place] = token
    numbers = with_progress_bar(shards.held_out.tolist(), "evaluating", len(shards.held_out))
    count = unknown = 0
    total = _Total(unk)
    while group := [shards.after_labels(number) for number in islice(numbers, _BATCH_SIZE)]:
        count += len(group)
        unknown += sum(ids.count(unk) for ids in group)
        total.add(score(group))
    return total.evaluation(count, 0, unknown)


def _said(card: Mapping[str, Any], table: str, name: str) -> object:
    """Return what a card, which may hold anything, says."""
    values = card.get(table)
    return values.get(name) if isinstance(values, Mapping) else None


def _sum(documents: Iterator[str], tokenizer: Tokenizer, score: Score, labels: Mapping[str, str]) -> Evaluation:
    count = characters = unknown = 0
    total = _Total(tokenizer.special("unk"))
    while group := list(islice(documents, _BATCH_SIZE)):
        encodings = [tokenizer.encode_document(document) for document in group]
        count += len(group)
        characters += sum(map(len, group))
        unknown += sum(len(encoding.unknown) for encoding in encodings)
        before = [tokenizer.labels.ids_of_document({**labels_of(document), **labels}) for document in group]
        sequences = zip(before, encodings, strict=True)
        total.add(score([encoding.after(of_labels).ids for of_labels, encoding in sequences]))
    return total.evaluation(count, characters, unknown)


class _Total:
    """Sums log-probabilities, those of the token ``unknown`` apart."""

    def __init__(self, unknown: int | None) -> None:
        self._unknown = -1 if unknown is None else unknown
        self._tokens = self._unknown_tokens = 0
        self._log_probability = self._unknown_log_probability = 0.0

    def add(self, scored: Sequence[Scored]) -> None:
        """Add the predictions of some documents."""
        for predicted, logs in scored:
            is_unknown = np.array(predicted) == self._unknown
            self._tokens += len(logs)
            self._unknown_tokens += int(is_unknown.sum())
            self._log_probability += math.fsum(logs)
            self._unknown_log_probability += math.fsum(logs[is_unknown])

    def evaluation(self, documents: int, characters: int, unknown: int) -> Evaluation:
        """Return the sums, with what else was counted."""
        return Evaluation(
            documents,
            self._tokens,
            characters,
            unknown,
            self._log_probability,
            self._unknown_tokens,
            self._unknown_log_probability,
        )


def _apart(scorer: Scorer, labels: int) -> Score:
    """Return a score of documents that have nothing to do with each other, each after this many tokens of labels."""

    def score(sequences: Sequence[tuple[int, ...]]) -> list[Scored]:
        scored = scorer.score(sequences)
        pairs = zip(sequences, scored, strict=True)
        return [(sequence[1 + labels :], logs[labels:]) for sequence, logs in pairs]

    return score


def _carried(scorer: Scorer) -> Score:
    """Return a score of documents as one text: the state and the last token go on from one to the next."""
    states: Any = None
    last: tuple[int, ...] = ()

    def score(sequences: Sequence[tuple[int, ...]]) -> list[Scored]:
        nonlocal states, last
        text = (*last, *(token for sequence in sequences for token in sequence))
        last = text[-1:]
        logs, states = scorer.carry(text, states)
        return [(text[1:], logs)]

    return score


def _scorer(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> Scorer:
    if not recipe.model.plugin.trained:
        return CountingScorer(load_counting(run, recipe, tokenizer))
    from genrun_core.backend import prepare_backend

    prepare_backend("evaluating a run")
    from genrun_core.evaluation.keras_scorer import KerasScorer
    from genrun_core.network.architecture import fingerprint
    from genrun_core.network.network_file import load_network_of

    network = load_network_of(run, recipe, tokenizer)
    mixed = load_mixed(run, recipe, tokenizer, fingerprint(network)) if recipe.model.counting else None
    scorer = KerasScorer(network)
    return scorer if mixed is None else MixedScorer(scorer, mixed)
