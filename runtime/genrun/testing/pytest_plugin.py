"""The fixtures that pytest finds wherever genrun is installed; they import nothing until they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["tiny_corpus", "tiny_model"]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a real model file of 32 KB, in a folder of the session."""
    from genrun.testing import tiny

    return _copy(tiny.tiny_model(), tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a text file with 12 couplets, a blank line between them, in a folder of the session."""
    from genrun.testing import tiny

    return _copy(tiny.tiny_corpus(), tmp_path_factory)


def _copy(path: Path, factory: pytest.TempPathFactory) -> Path:
    copy = factory.mktemp("tiny", numbered=True) / path.name
    copy.write_bytes(path.read_bytes())
    return copy
