"""The example of GitHub Pages: the commands of its workflow, and the page below a path, as GitHub serves it."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright

import genrun
from support.workflow import commands_of, read_workflow

_PATIENCE = 60_000  # milliseconds: this machine may be busy
_BEFORE = ("Install genrun", "Install onnxruntime-web")  # the first is done: the tests run in its environment


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with node_modules, made by the command of the workflow."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm, which is not here: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("npm")
    made = run(folder, commands_of(read_workflow())[_BEFORE[1]])
    if made.returncode:
        pytest.skip(f"needs onnxruntime-web, which npm cannot install: {made.stderr[-300:]}")
    return folder / "node_modules"


def run(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run commands of the workflow in ``folder``, as a runner of GitHub does."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, **read_workflow()["env"], **variables, "PATH": path}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def published(folder: Path, packages: Path) -> Path:
    """Run the commands that follow the installation; return the page."""
    (folder / "node_modules").symlink_to(packages)
    for name, command in commands_of(read_workflow()).items():
        if name not in _BEFORE:
            done = run(folder, command, TRAINING="--recipe ngram")
            assert done.returncode == 0, f"{name}: {done.stderr}"
    return folder / "site"


@pytest.fixture(scope="module")
def trained(packages: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with texts, after the workflow."""
    folder = tmp_path_factory.mktemp("texts")
    lines = [
        line for path in sorted((samples / "songs").glob("*.txt")) for line in path.read_text("utf-8").split("\n")
    ]
    (folder / "texts.txt").write_text("\n".join(lines), "utf-8")
    published(folder, packages)
    return folder


def test_texts_become_a_page(trained: Path) -> None:
    model = genrun.load(trained / "site" / "model.onnx", device="cpu")
    assert "road" in model.tokenizer.vocabulary
    assert (trained / "site" / "index.html").is_file()


def test_with_a_model_file_nothing_is_trained(trained: Path, packages: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "model.onnx", tmp_path)
    page = published(tmp_path, packages)
    assert not (tmp_path / "run").exists()
    assert (page / "model.onnx").read_bytes() == (trained / "model.onnx").read_bytes()


def test_a_training_that_fails_publishes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, commands_of(read_workflow())["Train, unless there is a model file"])
    assert done.returncode != 0
    assert "texts.txt" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def address(trained: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the page below the name of a repository."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

    (tmp_path / "my-texts").symlink_to(trained / "site")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/my-texts/"
        server.shutdown()


def test_the_page_works_below_the_name_of_a_repository(trained: Path, address: str) -> None:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium, which is not here: apt-get install chromium")
    expect.set_options(timeout=_PATIENCE)
    outside = list[str]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        own = (address, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))
        page.goto(address)
        expect(page.locator("#write")).to_be_enabled()
        page.fill("#prompt", "the road")
        page.locator("#choices > summary").click()
        page.fill("#seed", "7")
        page.click("#write")
        expect(page.locator("#about")).to_contain_text("Seed ")
        text = page.locator("#text").text_content()
        browser.close()
    [expected] = genrun.load(trained / "model.onnx", device="cpu").generate_many(["the road"], seed=7)
    assert text == f"the road{expected.continuation}"
    assert outside == []
