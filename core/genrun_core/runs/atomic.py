"""Files that are either whole or not there: written beside, flushed to the disk, then renamed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "is_leftover",
    "remove_leftovers",
    "replacing",
    "scratch_beside",
    "scratch_folder",
    "write_bytes",
    "write_json",
]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the name of a file to write beside ``path``; the end of the block puts it in its place.

    A block that fails leaves ``path`` as it was.
    """
    with scratch_beside(path) as beside:
        yield beside
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)


@contextlib.contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """Yield the name of a temporary file beside ``path``, with the same suffix; the end of the block deletes it.

    An OSError of the block names ``path`` instead.
    """
    beside = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        beside.unlink(missing_ok=True)  # what a kill left may be a hard link to what others share
        yield beside
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; the end of the block deletes it."""
    folder = path.with_name(f".{path.stem}.{os.getpid()}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes left half-written in ``folder``; files of living processes stay."""
    for path in folder.glob(".*.partial*"):
        if is_leftover(path) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif is_leftover(path):
            path.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Return whether a killed process left this file or folder half-written."""
    beginning, partial, _ = path.name.partition(".partial")
    process = beginning.rpartition(".")[2]
    if not (path.name.startswith(".") and partial and process.isdecimal()):
        return False
    return (path.is_symlink() or path.is_file() or path.is_dir()) and not _lives(int(process))


def _lives(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0) if os.name == "posix" else None
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file at once."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())
