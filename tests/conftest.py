"""Fixtures for all tests: the repository's samples, the shared corpora, and small real models trained once."""

from __future__ import annotations

import itertools
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("genrun", deadline=None)  # a busy machine is not a bug
hypothesis.settings.load_profile("genrun")

_numbers = itertools.count()
REPOSITORY = Path(__file__).resolve().parent.parent
INTEGRATIONS = REPOSITORY / "tests" / "integrations"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave tests/integrations to `make test-integrations`, which names its folders one by one."""
    named = any(Path(argument).resolve().is_relative_to(INTEGRATIONS) for argument in config.args)
    return True if collection_path == INTEGRATIONS and not named else None


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep tests, and the processes that they start, out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENRUN_CACHE", str(folder / "session"))
        yield folder


@pytest.fixture(autouse=True)
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own: what it reads does not depend on the tests before it."""
    folder = shared_cache / f"test-{next(_numbers)}"
    monkeypatch.setenv("GENRUN_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    """What a test registers in the process, another test does not find."""
    yield
    if loaded := sys.modules.get("genrun.registry.offered"):
        loaded.REGISTERED.clear()


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def samples() -> Path:
    return REPOSITORY / "examples" / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The large corpora that lie beside the repository on the builders' machines; not part of it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the shared corpora (../shared/data), which are not here")
    return folder


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Obey Ctrl-C, also if the tests run in the background of a script, which makes them and theirs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def racetrack_run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the three Korean sentences, learnt by heart."""
    from support.trained import train

    return train([samples / "racetrack.txt"], "racetrack", tmp_path_factory.mktemp("racetrack") / "run")


@pytest.fixture(scope="session")
def racetrack_model(racetrack_run: Path) -> Path:
    """The model file of the three Korean sentences."""
    from genrun_export.exporting import export

    model = racetrack_run.parent / "racetrack.onnx"
    export(racetrack_run, model)
    return model


@pytest.fixture(scope="session")
def songs_run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with start, end, unknown words and a validation split: the sample songs, briefly trained."""
    from support.trained import train

    settings = {"hidden_size": "32", "embedding_size": "16", "epochs": "6", "batch_size": "16", "patience": "0"}
    settings |= {"vocabulary_limit": "120", "learning_rate": "0.01"}
    return train([samples / "songs" / "*.txt"], "lyricist", tmp_path_factory.mktemp("songs") / "run", settings)


@pytest.fixture(scope="session")
def songs_model(songs_run: Path) -> Path:
    """The model file of the sample songs."""
    from genrun_export.exporting import export

    model = songs_run.parent / "songs.onnx"
    export(songs_run, model)
    return model
