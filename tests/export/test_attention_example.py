"""The tests of examples/genrun-plugin-attention: an architecture from another distribution, up to its texts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.examples import example_module, offered_example

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "genrun-plugin-attention"
sys.path.append(str(EXAMPLE))
globals().update(
    {name: each for name, each in vars(example_module(EXAMPLE, "test_attention")).items() if name[0] != "_"}
)
sys.path.remove(str(EXAMPLE))


@pytest.fixture(scope="module", autouse=True)
def offered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The plugin as if it were installed."""
    with offered_example(EXAMPLE, tmp_path_factory.mktemp("metadata")):
        yield
