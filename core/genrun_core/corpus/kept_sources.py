"""Where a corpus is: sources as they were named, kept so that a run folder finds them from anywhere."""

from __future__ import annotations

import glob
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from genrun_core.runs.atomic import write_with

__all__ = ["STANDARD_INPUT", "absolute_source", "keep_sources"]

STANDARD_INPUT = "-"


def keep_sources(sources: Sequence[str], output: Path) -> list[str]:
    """Return where the sources are, independent of the current folder.

    Standard input is copied into the run folder: it is read more than once, and again after a resume.
    """
    kept = output / "standard-input.txt"

    def copy(path: Path) -> None:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)

    if STANDARD_INPUT in sources:
        output.mkdir(parents=True, exist_ok=True)
        write_with(kept, copy)
    return [str(kept) if source == STANDARD_INPUT else absolute_source(source) for source in sources]


def absolute_source(source: str) -> str:
    """Return a path or glob independent of the current folder; what names no file (a reader may take URLs) stays."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() or glob.glob(str(path), recursive=True) else source
