"""Starting a module of genrun in another Python, with the packages of this one and nothing of the current folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import genrun

__all__ = ["child_command", "child_environment"]


def child_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module``; ``-P`` keeps modules of the current folder from being imported."""
    return [sys.executable or "", "-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """Return the environment for :func:`child_command`: what is on this process's path is on the child's."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    environment["PYTHONPATH"] = os.pathsep.join(_path())
    return environment


def _path() -> list[str]:
    """Return ``sys.path`` without the current folder, unless PYTHONPATH names it or genrun itself lies there.

    ``python -m`` puts that folder first, whatever lies there: an ``onnxruntime.py`` of the user's, for one.
    """
    asked = {os.path.realpath(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder}
    asked.add(str(Path(genrun.__file__).resolve().parent.parent))
    here = os.path.realpath(os.curdir)
    return [entry for entry in sys.path if entry and (os.path.realpath(entry) != here or here in asked)]
