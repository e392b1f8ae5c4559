"""The models that the tests of the runtime share; made once, since a model is immutable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import genrun
from genrun.model import Model
from support.alphabet import babble_table, letters, random_drift, words, write_model
from support.distributions import Site, site

# Shared machines are slow at times: no example is judged by the clock.
settings.register_profile("runtime", deadline=None, max_examples=60)
settings.load_profile("runtime")


@pytest.fixture(scope="session", autouse=True)
def _numpy_chooses_from_few_logits() -> Iterator[None]:
    """Have four rows and more go the way of many logits, which the small models of the tests do not have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genrun.choosing.policy._LOGITS_FOR_NUMPY", 0)
        yield


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
    tokenizer = words("love", "don’t", "stop", ",", ".", "“", "”", "you", "i", "'s")
    drift = random_drift(len(tokenizer))
    drift[tokenizer.special("end")] = 0.2  # the longer a text, the likelier its end
    return write_model(
        folder / f"babble-{choosing}.onnx",
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=drift,
        decoder="temperature",
        options={"temperature": 1.5},
        max_new_tokens=12,
        choosing=choosing,
    )


@pytest.fixture(scope="session")
def babble(babble_file: Path) -> Model:
    return genrun.load(babble_file, device="cpu")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A place to install made-up distributions with plugins."""
    with site(tmp_path, monkeypatch) as place:
        yield place
