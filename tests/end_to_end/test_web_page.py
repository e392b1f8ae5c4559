"""The web page of the tutorial: texts for a visitor, and nothing that a visitor types does any harm."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

import pytest

import genrun
from support import examples
from support.alphabet import letters, write_model
from support.documentation import blocks_of

PROGRAM = Path("examples/web-page/server.py")


@pytest.fixture(scope="module")
def program(repository: Path) -> ModuleType:
    return examples.program(repository / PROGRAM)


@pytest.fixture(scope="module")
def page(program: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Ask the server of a model that says the alphabet."""
    model = genrun.load(write_model(tmp_path_factory.mktemp("page") / "alphabet.onnx"), device="cpu")
    server: ThreadingHTTPServer = program.server(model, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def ask(path: str = "/", **fields: str) -> str:
        address = f"http://127.0.0.1:{server.server_port}{path}"
        with urllib.request.urlopen(f"{address}?{urlencode(fields)}" if fields else address) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            return str(answer.read().decode("utf-8"))

    yield ask
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_page_has_a_form_and_then_five_texts(page: Callable[..., str]) -> None:
    assert "<form>" in page()
    assert "<p>" not in page()
    assert page(prompt="wx").count("<p>wxyz</p>") == 5
    assert page(prompt="").count("<p>") == 5


def test_what_a_visitor_types_is_text_and_never_html(page: Callable[..., str]) -> None:
    answer = page(prompt='<script>"x')
    assert "<script>" not in answer
    assert 'value="&lt;script&gt;&quot;x"' in answer


def test_a_prompt_that_cannot_be_used_is_answered_with_the_reason(program: ModuleType, tmp_path: Path) -> None:
    model = genrun.load(write_model(tmp_path / "no-start.onnx", letters("word", ["pad"])), device="cpu")
    assert "<p>the prompt is empty and this model has no &lt;start&gt;: give at least one word</p>" in program.page(
        model, ""
    )


def test_other_addresses_are_not_found(page: Callable[..., str]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        page("/other")


def test_the_tutorial_shows_the_program(repository: Path) -> None:
    shown = [block.text for block in blocks_of((repository / "docs/tutorial.md").read_text("utf-8"))]
    assert (repository / PROGRAM).read_text("utf-8") in shown
