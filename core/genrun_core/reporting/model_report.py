"""The report of a model: its texts without a prompt beside the documents of a corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from genrun.contracts import Decoder, ParametricDecoder
from genrun.errors import CorpusError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.reading.sources import STANDARD_INPUT
from genrun.results import Result
from genrun_core.corpus.labelling import with_labels
from genrun_core.corpus.reading import first_document, make_reader, named, read_documents
from genrun_core.recipes.sections import PluginChoice
from genrun_core.reporting.report import Report, compare, sampled
from genrun_core.reporting.two_samples import require_classifier

__all__ = ["draws_from_all", "is_counted", "report_model", "texts_from_nothing"]

BATCH_SIZE = 128


def report_model(
    model: Model,
    settings: GenerationSettings,
    corpus: Sequence[str],
    *,
    training: Sequence[str] = (),
    reader: PluginChoice | None = None,
    count: int = 3000,
    advance: Callable[[Result], None] = lambda result: None,
) -> Report:
    """Generate ``count`` texts from the empty prompt; measure them beside the documents of the sources ``corpus``.

    With labels in the settings, only documents that have them count. A larger corpus is sampled: ``count`` documents,
    always the same ones. ``training`` are the sources that the model was trained on. ``reader`` reads both; lines of
    text without it. ``advance`` gets each result as it is made.
    Raises CorpusError for sources without documents, PromptError for a model that cannot begin by itself, and
    MissingExtraError without scikit-learn.
    """
    require_classifier()
    chosen = make_reader(reader or PluginChoice("text"))
    documents = sampled(with_labels(read_documents(chosen, corpus), dict(settings.labels)), count)
    if not documents:
        what = " and ".join(f"{name}={value}" for name, value in settings.labels if value)
        hint = f" with the label {what}: --set label_columns=… names what is a label" if what else ""
        raise CorpusError(f"{named(corpus)}: there are no documents{hint}")
    if training and STANDARD_INPUT not in training:
        first_document(chosen, training)  # what cannot be read is better known before the texts are made
    texts = texts_from_nothing(model, settings, count, advance)
    return compare(texts, documents, read_documents(chosen, training) if training else None)


def texts_from_nothing(
    model: Model,
    settings: GenerationSettings,
    count: int,
    advance: Callable[[Result], None] = lambda result: None,
) -> list[str]:
    """Return ``count`` texts of the empty prompt; raises PromptError for a model that cannot begin by itself.

    A text of a model of running text ends where its first document does.
    """
    if model.tokenizer.end_text:
        settings = dataclasses.replace(settings, stops=(*settings.stops, model.tokenizer.end_text))
    texts = []
    for result in model.generate_each([""], n=count, batch_size=BATCH_SIZE, settings=settings):
        texts.append(result.text)
        advance(result)
    return texts


def draws_from_all(decoder: Decoder) -> bool:
    """Return whether ``decoder`` draws from all words, the unlikely ones as often as the model says or more often."""
    parameters = decoder.parameters() if isinstance(decoder, ParametricDecoder) else None
    return parameters is not None and parameters.get("k") == -1 and parameters.get("temperature", 1) >= 1


def is_counted(model: Model) -> bool:
    """Return whether ``model`` is an n-gram model, as far as its card says."""
    described = model.card.get("architecture")
    return isinstance(described, dict) and described.get("architecture") == "ngram"
