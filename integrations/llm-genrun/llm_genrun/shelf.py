"""The folder whose model files llm offers: ``genrun`` in the folder that llm keeps its own files in."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import llm

__all__ = ["add", "folder", "model_files", "remove"]

_NAME = re.compile(r"[\w][\w.+-]*")
_SUFFIX = ".onnx"


def folder() -> Path:
    """Return the folder, which may not exist yet."""
    user: Path = llm.user_dir()  # type: ignore[no-untyped-call]
    return user / "genrun"


def model_files() -> dict[str, Path]:
    """Return the model files of the folder by name, sorted; a file's name without ``.onnx`` is its name."""
    found = sorted(folder().glob(f"*{_SUFFIX}")) if folder().is_dir() else []
    return {path.stem: path for path in found if _NAME.fullmatch(path.stem)}


def add(file: Path, name: str | None = None, *, link: bool = False, replace: bool = False) -> str:
    """Copy a model file to the folder, or link to it there; return its name.

    ``name``: that of the file if it is None. Raises ValueError for a name that is no name or is taken, and genrun's
    ModelFileError for what is no model file.
    """
    import genrun

    name = file.name.removesuffix(_SUFFIX) if name is None else name
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: use letters, digits, and . + - _ after the first one (--name NAME)")
    target = folder() / f"{name}{_SUFFIX}"
    if os.path.lexists(target) and not replace:
        raise ValueError(f"there is a model genrun-{name} already; choose another --name, or --replace it")
    genrun.load(file, device="cpu").close()
    folder().mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{name}.{os.getpid()}.partial")
    try:
        if link:
            beside.symlink_to(file.resolve())
        else:
            shutil.copyfile(file, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return name


def remove(name: str) -> None:
    """Remove a model file from the folder; raises ValueError if there is none of that name."""
    known = model_files()
    name = name.removeprefix("genrun-") if name not in known else name
    if name not in known:
        raise ValueError(f"there is no model genrun-{name}; there are: {', '.join(known) or 'none'}")
    known[name].unlink()
