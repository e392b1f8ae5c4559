"""Where a training and an export write by default: ``poems.txt`` becomes ``poems/`` and ``poems.onnx``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from genrun.errors import OptionError
from genrun.reading.sources import STANDARD_INPUT, named_paths, split_source

__all__ = ["default_model_file", "default_run_folder"]

_COMPRESSED = (".gz", ".bz2", ".xz", ".zip")


def default_run_folder(sources: Sequence[str]) -> Path:
    """Return the run folder for a corpus: beside it, or in the current folder where nothing can be written there.

    One file gives its name without the suffix; a folder, or files of one folder, the name of the folder with
    ``-run``. A file's name gets ``-run`` as well where something else has the name. Raises OptionError for sources
    that are no files.

    >>> default_run_folder(["a.txt"])
    Traceback (most recent call last):
      ...
    genrun.errors.OptionError: no such file, folder or match: 'a.txt'; name the output with -o for one that is no file
    """
    given = [part.path if (part := split_source(source)) else source for source in sources]
    paths = [Path(path) for source in given for path in named_paths(source) if os.path.exists(path)]
    if not paths:
        named = ", ".join(map(repr, sources))
        if STANDARD_INPUT in sources:
            raise OptionError("standard input has no name: name the output with -o")
        raise OptionError(f"no such file, folder or match: {named}; name the output with -o for one that is no file")
    first = paths[0].absolute()
    if len(paths) == 1 and first.is_file():
        stem = Path(first.stem).stem if first.suffix.lower() in _COMPRESSED else first.stem
        run = _writable(first.parent, paths[0].parent) / stem
        return run if _is_free(run) else run.with_name(f"{stem}-run")
    common = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in map(Path.absolute, paths)]))
    name = f"{common.name or 'texts'}-run"
    if Path.cwd().is_relative_to(common):
        return Path(name)
    return _writable(common.parent, Path(os.path.relpath(common.parent))) / name


def default_model_file(run: Path) -> Path:
    """Return the model file for a run folder, beside it.

    >>> print(default_model_file(Path("runs/poems")))
    runs/poems.onnx
    """
    run = run if run.name not in ("", "..") else run.resolve()
    return run.with_name(f"{run.name}.onnx")


def _writable(folder: Path, shown: Path) -> Path:
    """Return ``folder`` as it is ``shown``, or the current folder if nothing can be written there."""
    return shown if os.access(folder, os.W_OK) else Path()


def _is_free(run: Path) -> bool:
    """Return whether a training can write at ``run``, or has done so."""
    return not run.exists() or (run.is_dir() and ((run / "run.toml").exists() or not any(run.iterdir())))
