"""What docs/serve.md shows works, with another model and another port."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from genrun.model import Model
from support.serving import Running, served

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "serve.md").read_text(encoding="utf-8")


def blocks(page: str, kind: str, word: str) -> list[str]:
    """Return the blocks of the page that contain ``word``."""
    return [block for block in re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) if word in block]


def test_the_clients_of_the_page_get_the_text_of_the_library(page: str, talker: Model, talker_file: Path) -> None:
    wanted = talker.generate_many(["The Council"], seed=7)[0].continuation
    with served(f"harbour={talker_file}", "--log", "none") as running:
        [command] = blocks(page, "", "$ curl")
        done = subprocess.run(
            adapted(command, running).removeprefix("$ "), shell=True, capture_output=True, text=True
        )
        assert json.loads(done.stdout)["choices"][0]["text"] == wanted, done.stderr
        [program] = blocks(page, "python", "import openai")
        *_, last = ast.parse(program).body
        names: dict[str, Any] = {}
        exec(adapted(program, running), names)
        assert eval(ast.unparse(last), names) == wanted


def test_the_application_of_the_page_is_made(page: str, talker_file: Path) -> None:
    [program] = blocks(page, "python", "create_app")
    names: dict[str, Any] = {}
    exec(program.replace("harbour.onnx", str(talker_file)), names)
    assert [served.name for served in names["app"].state.server.models] == ["harbour"]


def adapted(text: str, running: Running) -> str:
    assert ADDRESS in text
    return text.replace(ADDRESS, running.address)
