"""Where a corpus is: sources as they were named, kept so that a run folder finds them from anywhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from genrun.reading.sources import KEPT_STANDARD_INPUT, STANDARD_INPUT, named_paths, split_source
from genrun_core.runs.atomic import replacing

__all__ = ["absolute_source", "keep_sources", "names_standard_input"]


def keep_sources(sources: Sequence[str], output: Path) -> list[str]:
    """Return where the sources are, independent of the current folder.

    Standard input is copied into the run folder: it is read more than once, and again after a resume.
    """
    kept = output / KEPT_STANDARD_INPUT
    if any(map(names_standard_input, sources)):
        output.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as beside, beside.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return [
        _replaced(source, str(kept)) if names_standard_input(source) else absolute_source(source)
        for source in sources
    ]


def names_standard_input(source: str) -> bool:
    """Return whether a source is standard input, also with a reader of its own (``csv,column=title::-``)."""
    part = split_source(source)
    return (part.path if part else source) == STANDARD_INPUT


def absolute_source(source: str) -> str:
    """Return a path or glob independent of the current folder; what names no file (a reader may take URLs) stays."""
    part = split_source(source)
    path = part.path if part else source
    return _replaced(source, str(Path(path).expanduser().absolute())) if named_paths(path) else source


def _replaced(source: str, path: str) -> str:
    """Return a source with another path; its own reader stays before it."""
    part = split_source(source)
    return part.at(path) if part else path
