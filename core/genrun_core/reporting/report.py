"""The report itself: texts beside held-out documents, measure for measure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Generic, TypeVar

import numpy as np

from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.copies import Copies, find_copies
from genrun_core.reporting.texts import TextMeasures, measure_texts
from genrun_core.reporting.two_samples import tell_apart
from genrun_core.reporting.words import characters_of

__all__ = ["Report", "Side", "compare", "sampled"]

T = TypeVar("T")
_NAME = 1.5  # words


@dataclass(frozen=True, slots=True)
class Side:
    """What one kind of texts is like, and what it has in common with the training corpus.

    ``training_lines``: the share, 0 to 1, whose words are those of a whole training document; ``copied_run``: the
    median, over the texts, of the words in the longest run that a training document contains too. Both are None
    without a training corpus.
    """

    measures: TextMeasures
    training_lines: float | None = None
    copied_run: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self.measures), "training_lines": self.training_lines, "copied_run": self.copied_run}


@dataclass(frozen=True, slots=True)
class Report:
    """What texts are like beside documents.

    ``auc``: how well a classifier tells both apart, 0.5 (it cannot) to 1 (:func:`tell_apart`); None with too few of
    either. ``training_auc``: the same for documents of the training corpus instead of texts, which is what texts can
    reach; None without a training corpus, or with too few. ``compared``: how many of each kind were used for ``auc``
    and for the distinct runs. ``units``: what is counted as words, ``words`` or, for names, ``characters``.
    """

    texts: Side
    documents: Side
    compared: int
    auc: float | None
    training_auc: float | None = None
    units: str = "words"

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON-ready dictionary."""
        sides = {"texts": self.texts.to_json(), "documents": self.documents.to_json()}
        figures = {"auc": self.auc, "training_auc": self.training_auc, "compared": self.compared}
        return {**figures, "units": self.units, **sides}


def compare(texts: Sequence[str], documents: Sequence[str], training: Iterable[str] | None = None) -> Report:
    """Measure ``texts`` beside ``documents``, which no training has seen.

    ``training``: the documents that the model was trained on, read once, so that copies can be found. Documents in
    the order of a source should be :func:`sampled` first. Where the documents are names or single words, characters
    stand for words. Raises ValueError without texts or documents,
    MissingExtraError without scikit-learn where there are 100 of each.

    >>> report = compare(["the the sea", "a boat"], ["a sea", "the boat"], ["a boat", "the sea"])
    >>> report.texts.measures.doubled_words, report.texts.training_lines, report.documents.training_lines
    (0.5, 0.5, 0.0)
    >>> report.compared, report.auc
    (2, None)
    """
    compared = min(len(texts), len(documents))
    units, split = ("characters", characters_of) if _are_names(documents) else ("words", words_of)
    of_texts, of_documents = (measure_texts(some, distinct_of=compared, split=split) for some in (texts, documents))
    auc = tell_apart(texts, documents, split)
    if training is None:
        return Report(Side(of_texts), Side(of_documents), compared, auc, units=units)
    kept: _Sample[str] = _Sample(compared)
    copies = find_copies([*texts, *documents], kept.watch(training), split)
    return Report(
        _side(of_texts, copies, slice(None, len(texts))),
        _side(of_documents, copies, slice(len(texts), None)),
        compared,
        auc,
        tell_apart(kept.items, documents, split),
        units,
    )


def _are_names(documents: Sequence[str]) -> bool:
    """Return whether most documents are single words."""
    return bool(documents) and median(len(words_of(document)) for document in documents) <= _NAME


def _side(measures: TextMeasures, copies: Copies, part: slice) -> Side:
    return Side(measures, float(copies.is_document[part].mean()), float(np.median(copies.longest_run[part])))


def sampled(items: Iterable[T], number: int) -> list[T]:
    """Return ``number`` random ones of ``items`` in random order, all of them if they are fewer.

    The same items give the same sample. Memory is that of the sample.

    >>> len(sampled(range(1000), 3)), sorted(sampled(range(3), 5))
    (3, [0, 1, 2])
    """
    sample: _Sample[T] = _Sample(number)
    for _ in sample.watch(items):
        pass
    return sample.items


class _Sample(Generic[T]):
    """A uniform sample of what passes by, in random order (Vitter, "Random Sampling with a Reservoir", 1985)."""

    def __init__(self, number: int) -> None:
        self.items: list[T] = []
        self._number = number

    def watch(self, items: Iterable[T]) -> Iterator[T]:
        """Pass ``items`` on."""
        draws = random.Random(0)
        for count, item in enumerate(items, 1):
            place = draws.randrange(count)
            if len(self.items) < self._number:
                self.items.append(item)
                self.items[place], self.items[-1] = item, self.items[place]
            elif place < self._number:
                self.items[place] = item
            yield item
