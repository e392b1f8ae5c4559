"""The models that the tests of the runtime share; made once, since a model is immutable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import genrun
from genrun.generating.choosing import policy
from genrun.model import Model
from support.alphabet import babble_table, letters, random_drift, words, write_babble, write_model
from support.distributions import Site, site

# Shared machines are slow at times: no example is judged by the clock.
settings.register_profile("runtime", deadline=None, max_examples=30)
settings.load_profile("runtime")


@pytest.fixture(autouse=True)
def shipped_threshold(monkeypatch: pytest.MonkeyPatch) -> int:
    """Have NumPy choose from few logits, as the models of the tests have; return the threshold that is shipped."""
    shipped = policy._LOGITS_FOR_NUMPY
    monkeypatch.setattr(policy, "_LOGITS_FOR_NUMPY", 0)
    return shipped


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session", params=["logits", "graph"])
def choosing(request: pytest.FixtureRequest) -> bool:
    """Whether the graph chooses; every text must be the same if it does."""
    return bool(request.param == "graph")


@pytest.fixture(scope="session")
def alphabet_file(folder: Path) -> Path:
    """Says the alphabet, letter by letter, greedily; ends after z."""
    return write_model(folder / "alphabet.onnx")


@pytest.fixture(scope="session")
def alphabet(alphabet_file: Path) -> Model:
    return genrun.load(alphabet_file, device="cpu")


@pytest.fixture(scope="session")
def letter_words(folder: Path) -> Model:
    """Says the alphabet in words of one letter, "a b c"; knows no start, end or unknown."""
    return genrun.load(write_model(folder / "letter-words.onnx", letters("word", ["pad"])), device="cpu")


@pytest.fixture(scope="session")
def babble_file(folder: Path, choosing: bool) -> Path:
    """Draws words, marks and ends at random; how far the text has got matters to every choice."""
    return write_babble(folder / f"babble-{choosing}.onnx", choosing=choosing)


@pytest.fixture(scope="session")
def babble(babble_file: Path) -> Model:
    return genrun.load(babble_file, device="cpu")


@pytest.fixture(scope="session")
def talker_file(folder: Path) -> Path:
    """Draws from 400 words at random; its graph can choose, as an exported one can."""
    tokenizer = words("the", "council", "what", "mayor", "new", "ferry", *(f"word{i}" for i in range(394)))
    return write_model(
        folder / "talker.onnx",
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=random_drift(len(tokenizer)),
        decoder="top-k",
        options={"k": 40},
        max_new_tokens=20,
        choosing=True,
    )


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A place to install made-up distributions with plugins."""
    with site(tmp_path, monkeypatch) as place:
        yield place
