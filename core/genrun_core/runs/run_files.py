"""The door to the files of a run folder: each is checked before its content is used, and damage names the file."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from genrun.errors import RunFolderError, one_line
from genrun_core.runs.digests import check_value

__all__ = ["check_places", "read_json", "read_toml", "require_file", "require_table"]


def check_places(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Raise RunFolderError unless each path is what it is called, or missing; a link is neither file nor folder.

    Training writes and deletes at these paths, and must not reach what lies outside of the run folder.
    """
    for expected, paths in (("folder", folders), ("file", files)):
        for path in paths:
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                continue
            except OSError as error:
                raise RunFolderError(f"{path}: {error.strerror or one_line(error)}") from error
            if stat.S_ISLNK(mode):
                raise RunFolderError(
                    f"{path} is a symbolic link, and training writes nothing outside of the run folder: "
                    f"put the {expected} itself there"
                )
            if not (stat.S_ISDIR if expected == "folder" else stat.S_ISREG)(mode):
                raise RunFolderError(f"{path} must be a {expected}: delete what is there")


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, its digest checked and left out.

    Raises FileNotFoundError or NotADirectoryError, and RunFolderError for what is damaged.
    """
    value = _parsed(path, json.loads)
    if not isinstance(value, dict):
        raise RunFolderError(f"{path} must hold a JSON object")
    try:
        return check_value(value, path)
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path}: {one_line(error)}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables in a file; raises as :func:`read_json` does."""
    tables: dict[str, Any] = _parsed(path, tomllib.loads)
    return tables


def require_file(path: Path) -> None:
    """Raise FileNotFoundError, or RunFolderError for what is there and no file, which might never end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise RunFolderError(f"{path} must be a file")


def require_table(values: Mapping[str, Any], name: str, path: Path, of: type[object] = object) -> dict[str, Any]:
    """Return the table ``name`` of ``values``, read from ``path``, empty if there is none.

    Raises RunFolderError for what is no table, or for one with a value that is not of the type ``of``.
    """
    table = values.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(value, of) for value in table.values()):
        raise RunFolderError(f"{path}: {name!r} must be a table" + (" of texts" if of is str else ""))
    return table


def _parsed(path: Path, parse: Any) -> Any:
    try:
        require_file(path)
        return parse(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise RunFolderError(f"{path}: {error.strerror or one_line(error)}") from error
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path}: {one_line(error)}") from error
