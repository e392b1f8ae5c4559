"""The documents of a run, to compare texts with: those that it was trained on, and those that it held out."""

from __future__ import annotations

from typing import NamedTuple

from genrun.errors import GenrunError
from genrun_core.corpus.passes import Sources
from genrun_core.corpus.preparation import corpus_changed
from genrun_core.corpus.reading import make_reader
from genrun_core.reporting.report import Report, compare
from genrun_core.runs.run_folder import RunFolder

__all__ = ["RunDocuments", "documents_of", "report_on"]

_MOST_WORDS = 3_000_000  # whose copies are found in some seconds


class RunDocuments(NamedTuple):
    """The documents of a run, as its reader yields them."""

    trained_on: list[str]
    held_out: list[str]


def documents_of(run: RunFolder) -> RunDocuments | None:
    """Read the corpus of a run again; None if it cannot be read as it was, or is too large to be compared with."""
    stored = run.corpus() or {}
    if stored.get("words", 0) > _MOST_WORDS or corpus_changed(run) is not False:
        return None
    try:
        held_out = frozenset(run.shards(run.tokenizer()).held_out.tolist())
        sides: tuple[list[str], list[str]] = [], []
        sources = Sources(make_reader(run.recipe().reader), run.sources, run.validation_sources)
        for number, (document, _) in enumerate(sources.read()):
            sides[number in held_out].append(document)
    except GenrunError:
        return None
    return RunDocuments(*sides)


def report_on(texts: list[str], documents: RunDocuments | None) -> Report | None:
    """Return the report of texts of a run's model; None without texts or held-out documents."""
    if documents is None or not documents.held_out or not texts:
        return None
    return compare(texts, documents.held_out, documents.trained_on)
