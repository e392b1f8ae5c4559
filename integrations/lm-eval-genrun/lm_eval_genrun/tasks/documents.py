"""The task ``genrun_documents``: held-out documents, read by a reader of genrun."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import datasets

from genrun import CorpusError, OptionError, ReadReport
from genrun.registry import make_reader

__all__ = ["figures", "load"]

_log = logging.getLogger("lm_eval.genrun_documents")


def load(
    corpus: str | Sequence[str] = (), reader: str = "text", options: Mapping[str, object] | None = None, **_: object
) -> dict[str, datasets.Dataset]:
    """Return the documents of ``corpus``, one or several sources, as ``reader`` with ``options`` reads them.

    lm-eval passes what ``--metadata`` has, and more. Raises OptionError without a corpus, CorpusError for one that
    cannot be read or has no documents.
    """
    sources = [corpus] if isinstance(corpus, str) else list(corpus)
    if not sources:
        raise OptionError("""name the held-out text: --metadata '{"corpus": "held-out.txt"}'""")
    report = ReadReport()
    texts = [str(document) for document in make_reader(reader, options).read(sources, report)]
    if not texts:
        raise CorpusError(f"{', '.join(sources)}: there is no document")
    dropped = ", ".join([f"{count:,} {reason}" for reason, count in report.dropped.items()]) or "none"
    _log.info("%s documents of %s rows (dropped: %s)", f"{len(texts):,}", f"{report.rows:,}", dropped)
    for note in report.notes:
        _log.info("%s", note)
    return {"test": datasets.Dataset.from_dict({"text": texts})}


def figures(document: Mapping[str, str], results: Sequence[float]) -> dict[str, Any]:
    """Return the figures of one document: its log-likelihood, and by what it is divided.

    A model that does not say how many tokens it predicted is taken to predict the words and the end.
    """
    [likelihood] = results
    words, size = len(document["text"].split()), len(document["text"].encode())
    return {
        "perplexity": (likelihood, getattr(likelihood, "tokens", words + 1)),
        "word_perplexity": (likelihood, words),
        "bits_per_byte": (likelihood, size),
    }
