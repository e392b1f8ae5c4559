"""The example of an async web application: texts come as they are generated; a client that leaves ends its text."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

import genrun
from genrun.model import Model
from support import examples
from support.alphabet import letters, write_model

ENDLESS = 1_000_000  # tokens: more than any test waits for


@pytest.fixture(scope="module")
def program(repository: Path) -> ModuleType:
    return examples.program(repository / "examples" / "async-web" / "app.py")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Says the alphabet again and again, with some errors."""
    file = write_model(
        tmp_path_factory.mktemp("async") / "alphabet.onnx",
        letters("word", ["pad", "unk", "start"]),
        decoder="temperature",
        options={"temperature": 4.0},
        choosing=True,
    )
    return genrun.load(file, device="cpu")


def test_a_text_is_the_one_that_the_library_generates(program: ModuleType, model: Model) -> None:
    with TestClient(program.application(model)) as client:
        for prompt in ("", "a b", "é w "):
            answer = client.get("/text", params={"prompt": prompt, "seed": 7})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.text == model.generate_many([prompt], seed=7, max_new_tokens=50)[0].text
        assert client.get("/text").text != client.get("/text").text  # each has a new seed
        assert "<form>" in client.get("/").text


def test_what_a_visitor_typed_wrong_is_a_400_with_the_reason(program: ModuleType, tmp_path: Path) -> None:
    model = genrun.load(write_model(tmp_path / "no-start.onnx", letters("word", ["pad"])), device="cpu")
    with TestClient(program.application(model)) as client:
        for query, reason in (
            ({"prompt": ""}, "the prompt is empty and this model has no <start>: give at least one word"),
            ({"prompt": "dragons"}, "no word of the prompt 'dragons' is in the model's vocabulary"),
            ({"prompt": "a", "seed": "-1"}, "the seed must be a number of at most 18 digits"),
        ):
            answer = client.get("/text", params=query)
            assert (answer.status_code, answer.text) == (400, reason)


def test_more_texts_than_there_is_room_for_are_refused(
    program: ModuleType, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "MOST_TEXTS", 0)
    with TestClient(program.application(model)) as client:
        answer = client.get("/text")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("version", ["2.3", "2.4"])  # the server says that a client left; or sending to it fails
def test_a_client_that_leaves_frees_its_row(
    program: ModuleType, model: Model, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    texts: list[Any] = []
    schedule = model.aschedule

    async def scheduled(*arguments: Any, **choices: Any) -> Any:
        texts.append(await schedule(*arguments, **choices))
        return texts[-1]

    async def visit() -> None:
        sent, left = 0, asyncio.Event()

        async def receive() -> dict[str, Any]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal sent
            sent += 1
            if sent == 4:  # the head of the answer, that of the text, two pieces
                left.set()
                if version == "2.4":
                    raise OSError("the client has left")

        await program.application(model, ENDLESS)(scope, receive, send)

    async def leave() -> None:
        if version == "2.4":
            with pytest.raises(ClientDisconnect):
                await visit()
        else:
            await visit()
        while model.unfinished:
            await asyncio.sleep(0.001)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/text",
        "query_string": b"prompt=a",
        "headers": [],
    }
    scope |= {"asgi": {"version": "3.0", "spec_version": version}}
    monkeypatch.setattr(model, "aschedule", scheduled)
    asyncio.run(leave())
    (text,) = texts
    assert text.done()
    assert 1 <= len(text.new_ids) < ENDLESS
