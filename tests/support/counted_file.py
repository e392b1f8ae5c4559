"""A model file of counted words, made of the sample headlines without TensorFlow, in a second."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Normalization, Tokenizer
from genrun_core.counting import count_ngrams
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import WIDTHS, make_tables
from genrun_export.file.file_content import content_of
from genrun_export.graph.choosing import add_choosing
from support.counted import joined

__all__ = ["prompts_for", "write_counted_model"]

_SPECIALS = ("pad", "unk", "start", "end")


def headlines(samples: Path) -> list[list[str]]:
    """Return the words of each sample headline, lower case."""
    found = []
    for file in sorted((samples / "headlines").glob("*.csv")):
        with file.open(encoding="utf-8") as opened:
            found += [
                row["headline"].lower().split() for row in csv.DictReader(opened) if row["headline"] != "Unknown"
            ]
    return found


def write_counted_model(path: Path, samples: Path) -> Path:
    """Write an n-gram model of the headlines to ``path`` and return it; texts have at most eight more words."""
    documents = headlines(samples)
    counted = Counter(word for words in documents for word in words)
    vocabulary = [f"<{name}>" for name in _SPECIALS] + sorted(counted)
    tokenizer = Tokenizer(
        kind="word", vocabulary=vocabulary, specials=_SPECIALS, normalization=Normalization([{"step": "lowercase"}])
    )
    ids, offsets = joined([tokenizer.encode_document(" ".join(words)).ids for words in documents])
    model = count_ngrams(ids, offsets, vocabulary=len(vocabulary), order=3, boundary=False)
    step = counting_step(make_tables(model, widths=WIDTHS))
    add_choosing(step, suppressed_ids=(0, 1, 2))
    defaults = GenerationDefaults("top-k", {"k": 40}, 8, stop_ids=(3,), suppressed_ids=(0, 1, 2), casing="none")
    path.write_bytes(content_of(step, Metadata(tokenizer, defaults, {"name": "counted"}, Verification({}, ()))))
    return path


def prompts_for(samples: Path, count: int) -> list[str]:
    """Return ``count`` prompts: beginnings of headlines of one to three words, again and again."""
    beginnings = [" ".join(words[: 1 + i % 3]) for i, words in enumerate(headlines(samples) * 3)]
    return [beginnings[i % len(beginnings)] for i in range(count)]
