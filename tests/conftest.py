"""Fixtures for all tests: the repository's samples, the shared corpora, and small real models trained once."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from support.shared import made_once

# A busy machine is not a bug, so no example is judged by the clock. The same commit has the same examples everywhere;
# `make explore` tries new ones.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # tests import onnxruntime themselves, too
hypothesis.settings.register_profile("genrun", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=500, print_blob=True)
hypothesis.settings.load_profile("genrun")

_numbers = itertools.count()
REPOSITORY = Path(__file__).resolve().parent.parent
INTEGRATIONS = REPOSITORY / "tests" / "integrations"
HEAVY = ("core",), ("end_to_end", "export")  # folders of tests that train; each tuple takes about as long


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave tests/integrations to `make test-integrations`, which names its folders one by one."""
    named = any(Path(argument).resolve().is_relative_to(INTEGRATIONS) for argument in config.args)
    return True if collection_path == INTEGRATIONS and not named else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin both halves of the tests with heavy ones.

    Of two processes, each begins with a half, and takes quick tests from the other's end when it has none left. So
    heavy tests with one fixture stay in one process, and neither process waits at the end.
    """
    parts: tuple[list[pytest.Item], ...] = ([], [], [])
    for item in items:
        folder = item.path.relative_to(REPOSITORY).parts[1] if item.path.is_relative_to(REPOSITORY) else ""
        parts[next((i for i, folders in enumerate(HEAVY) if folder in folders), 2)].append(item)
    first, second, quick = parts
    middle = max(0, len(items) // 2 - len(first))
    items[:] = [*first, *quick[:middle], *second, *quick[middle:]]


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """Leave it to the system when to write to the disk: the tests kill processes, and switch off no machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


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

    def make(folder: Path) -> None:
        from support.trained import train

        train([samples / "racetrack.txt"], "racetrack", folder / "run", drawn=True)

    return made_once("racetrack", make, tmp_path_factory) / "run"


@pytest.fixture(scope="session")
def racetrack_model(racetrack_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of the three Korean sentences."""
    return _exported(racetrack_run, "racetrack.onnx", tmp_path_factory)


@pytest.fixture(scope="session")
def songs_run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with start, end, unknown words and a validation split: the sample songs, briefly trained."""
    settings = {"hidden_size": "32", "embedding_size": "16", "epochs": "6", "batch_size": "16", "patience": "0"}
    settings |= {"vocabulary_limit": "120", "learning_rate": "0.01"}

    def make(folder: Path) -> None:
        from support.trained import train

        train([samples / "songs" / "*.txt"], "lyricist", folder / "run", settings, drawn=True)

    return made_once("songs", make, tmp_path_factory) / "run"


@pytest.fixture(scope="session")
def songs_model(songs_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of the sample songs."""
    return _exported(songs_run, "songs.onnx", tmp_path_factory)


def _exported(run: Path, name: str, factory: pytest.TempPathFactory) -> Path:
    """Return the model file of ``run``, beside it."""

    def make(folder: Path) -> None:
        from genrun_export.exporting import export

        export(run, folder / name)

    made = made_once(f"{name}-file", make, factory) / name
    return made.rename(run.parent / name)
