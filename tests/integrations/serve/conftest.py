"""A running server of small models, and what it says of itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import genrun
from genrun.model import Model
from support.alphabet import babble_table, letters, random_drift, words, write_model
from support.serving import Running, served

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def talker_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draws from 400 words at random."""
    tokenizer = words("the", "council", "what", "mayor", "new", "ferry", *(f"word{i}" for i in range(394)))
    size = len(tokenizer)
    return write_model(
        tmp_path_factory.mktemp("models") / "talker.onnx",
        tokenizer,
        table=babble_table(size),
        drift=random_drift(size),
        decoder="top-k",
        options={"k": 40},
        max_new_tokens=20,
        choosing=True,
    )


@pytest.fixture(scope="session")
def endless_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says the alphabet for ever."""
    return write_model(tmp_path_factory.mktemp("models") / "endless.onnx", letters("word", ["pad"]))


@pytest.fixture(scope="session")
def talker(talker_file: Path) -> Model:
    return genrun.load(talker_file, device="cpu")


@pytest.fixture(scope="session")
def serve(talker_file: Path, endless_file: Path) -> Serve:
    """Start a server of both models, with more options."""

    return functools.partial(served, talker_file, endless_file)


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[Running]:
    with serve("--log", "none") as running:
        yield running
