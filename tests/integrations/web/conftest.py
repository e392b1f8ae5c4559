"""Node, its packages, a server, and small real models of words, characters and subwords."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from genrun_export.exporting import export
from support.trained import train

_SIZES = {"reader": "nyt-csv", "hidden_size": "32", "embedding_size": "16"}


@pytest.fixture(scope="session")
def node(repository: Path) -> str:
    """Node, with the packages of web/package.json."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("needs Node 20 or newer and npm, which are not here: apt-get install nodejs npm")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v").split(".")[0]) < 20:
        pytest.skip(f"needs Node 20 or newer, not {version.strip()}")
    if not all((repository / "web" / "node_modules" / name).is_dir() for name in ("onnxruntime-web", "axe-core")):
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        made = subprocess.run(command, cwd=repository / "web", capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"needs packages that npm cannot install: {made.stderr[-300:]}")
    return found


@pytest.fixture(scope="session")
def make_model(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """What trains and exports a model of the sample headlines, each once: a recipe and how it is quantized."""
    runs: dict[str, Path] = {}

    def made(recipe: str, quantize: str | None = None, settings: Mapping[str, str] | None = None) -> Path:
        if recipe not in runs:
            folder = tmp_path_factory.mktemp(recipe)
            runs[recipe] = train([samples / "headlines"], recipe, folder / "run", {**_SIZES, **(settings or {})})
        path = runs[recipe].parent / f"{quantize or 'float32'}.onnx"
        if not path.exists():
            export(runs[recipe], path, quantize)
        return path

    return made


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """Start `genrun serve` with models by name; its address, with a slash at the end."""

    @contextlib.contextmanager
    def served(**models: Path) -> Iterator[str]:
        named = [f"{name}={path}" for name, path in models.items()]
        command = [sys.executable, "-m", "genrun", "serve", *named, "--port", "0", "--log", "none"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[0]
        finally:
            process.kill()
            process.communicate()

    return served
