"""What the tests of several clusters share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of counted headlines; a folder of tests may have another model."""
    from support.counted_file import write_counted_model

    return write_counted_model(tmp_path_factory.mktemp("model") / "counted.onnx", samples)
