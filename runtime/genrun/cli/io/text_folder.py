"""A folder of files with texts that a killed command leaves unfinished, and that a later one continues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrun.cli.io.output_file import check_settings
from genrun.cli.io.replacing import replace_text
from genrun.errors import GenrunError

__all__ = ["begin_folder", "recorded_settings"]

_RECORD = "_genrun.json"  # readers of Parquet folders pass over names that begin so


def recorded_settings(folder: Path) -> Mapping[str, Any] | None:
    """Return what the texts in ``folder`` depend on, JSON values by name; None if none were begun.

    Raises GenrunError for a damaged record.
    """
    record = folder / _RECORD
    try:
        found = json.loads(record.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise GenrunError(f"{record} does not say what the texts depend on: delete {folder}, and begin again")
    return found


def begin_folder(folder: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
    """Make ``folder`` for texts of these ``settings``, or go on in it.

    Raises OptionError for a folder with texts of other settings, GenrunError for one with something else, or with
    texts that are not to be continued.
    """
    before = recorded_settings(folder)
    if before is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise GenrunError(f"{folder} exists already: name a new folder for the texts")
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / _RECORD, json.dumps(dict(settings), indent=1) + "\n")
    elif not resume:
        raise GenrunError(f"{folder} was begun already: go on with --resume, or delete it")
    else:
        check_settings(folder, before, settings)
