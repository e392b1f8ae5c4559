"""Starts a module of genrun in another Python process: with the same packages, but not from the current folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import genrun

__all__ = ["child_command", "child_environment"]


def child_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module``; with ``-P``, Python imports nothing from the current folder."""
    return [sys.executable or "", "-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """Return the environment for :func:`child_command`: the child has the import path of this process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    environment["PYTHONPATH"] = os.pathsep.join(_path())
    return environment


def _path() -> list[str]:
    """Return ``sys.path`` without the current folder, unless PYTHONPATH names it or genrun itself is there.

    ``python -m`` puts that folder first, and it may hold, for example, the user's own ``onnxruntime.py``.
    """
    asked = {os.path.realpath(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder}
    asked.add(str(Path(genrun.__file__).resolve().parent.parent))
    here = os.path.realpath(os.curdir)
    return [entry for entry in sys.path if entry and (os.path.realpath(entry) != here or here in asked)]
