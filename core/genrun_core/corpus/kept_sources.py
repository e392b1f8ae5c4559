"""Where a corpus is: sources as they were named, kept so that a run folder finds them from anywhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from genrun.sources import STANDARD_INPUT, named_paths
from genrun_core.runs.atomic import replacing

__all__ = ["absolute_source", "keep_sources"]


def keep_sources(sources: Sequence[str], output: Path) -> list[str]:
    """Return where the sources are, independent of the current folder.

    Standard input is copied into the run folder: it is read more than once, and again after a resume.
    """
    kept = output / "standard-input.txt"
    if STANDARD_INPUT in sources:
        output.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as beside, beside.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return [str(kept) if source == STANDARD_INPUT else absolute_source(source) for source in sources]


def absolute_source(source: str) -> str:
    """Return a path or glob independent of the current folder; what names no file (a reader may take URLs) stays."""
    return str(Path(source).expanduser().absolute()) if named_paths(source) else source
