"""What takes long to make and is needed by tests in several processes: made by one of them, copied by the others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["made_once"]


def made_once(name: str, make: Callable[[Path], object], factory: pytest.TempPathFactory) -> Path:
    """Return a folder of this process's own, with what ``make`` wrote into the folder that it was given.

    The processes of one run of pytest-xdist call ``make`` once; those that come meanwhile wait.
    """
    own = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(folder := factory.mktemp(name))
        return folder
    import fcntl  # which only POSIX has

    first, made = own.parent / name, own.parent / f"{name}.made"
    with (own.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(first, ignore_errors=True)
            first.mkdir()
            make(first)
            made.touch()
    return shutil.copytree(first, own / name)
