"""Who may use the server, and what it accepts at most: before any work is done, and after a client has left."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from genrun.errors import OptionError
from genrun.model import Model
from genrun.serving.app import create_app
from genrun.serving.limits import Limits
from genrun.serving.logs import set_up_logs
from support.asgi import ask

LOCAL = "http://localhost"
KEY = "s3cret"
ENDLESS = 4096


def test_only_accepted_hosts_may_ask(alphabet: Model) -> None:
    client = TestClient(create_app({"m": alphabet}, hosts=["localhost", "example.org"]), base_url=LOCAL)
    for host, status in [("localhost:8000", 200), ("EXAMPLE.org", 200), ("evil.example", 403), ("", 403)]:
        assert client.get("/v1/models", headers={"Host": host}).status_code == status
        assert client.get("/livez", headers={"Host": host}).status_code == 200
    assert TestClient(create_app({"m": alphabet}, hosts="*"), base_url="http://any").get("/").status_code == 200
    twice = client.get("/v1/models", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert (twice.status_code, "2 Host headers" in twice.text) == (400, True)


def test_every_path_but_health_needs_the_key(alphabet: Model) -> None:
    client = TestClient(create_app({"m": alphabet}, key=KEY), base_url=LOCAL)
    basic = base64.b64encode(f"anyone:{KEY}".encode()).decode()
    for path in ("/", "/v1/models", "/metrics", "/openapi.json", "/nowhere"):
        for header in ("", "Bearer wrong", f"Token {KEY}", "Basic ?", f"Bearer {KEY}x"):
            answer = client.get(path, headers={"Authorization": header})
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert answer.headers["www-authenticate"].startswith("Basic ")  # a browser then asks for it
        for header in (f"Bearer {KEY}", f"bearer {KEY}", f"Basic {basic}"):
            assert client.get(path, headers={"Authorization": header}).status_code == (404 if "no" in path else 200)
    for path in ("/livez", "/readyz", "/health"):
        assert client.get(path).json() == {"status": "ok"}


def test_pages_of_other_sites_are_answered_only_where_they_are_named(alphabet: Model) -> None:
    origin = {"Origin": "https://example.org"}
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    closed = TestClient(create_app({"m": alphabet}), base_url=LOCAL)
    opened = TestClient(create_app({"m": alphabet}, key=KEY, origins=["https://example.org"]), base_url=LOCAL)
    name = "access-control-allow-origin"
    assert name not in closed.get("/v1/models", headers=origin).headers
    assert opened.options("/v1/completions", headers=asked).headers[name] == "https://example.org"
    assert name not in opened.options("/v1/completions", headers={**asked, "Origin": "https://other.org"}).headers
    with pytest.raises(OptionError, match="not '\\*'"):
        create_app({"m": alphabet}, origins=["*"])


@pytest.mark.parametrize(
    ("content", "kind", "status", "said"),
    [
        (b'{"prompt": "a"}', "text/plain", 415, "Content-Type: application/json"),
        (b'{"prompt": "' + b"a" * 1000 + b'"}', "application/json", 413, "at most 500 bytes"),
        (b'{"prompt": ', "application/json", 400, "the body is not JSON"),
        (b'{"seed": NaN}', "application/json", 400, "NaN is not a JSON number"),
        (b"\xff", "application/json", 400, "the body is not JSON"),
        (b"[" * 400, "application/json; charset=utf-8", 400, "the body is not JSON"),
        (b"[]", "application/json", 400, "must be a JSON object"),
        (b'{"prompt": "\\ud800"}', "application/json", 400, "surrogate"),
    ],
)
def test_a_body_is_json_of_a_bounded_length(
    alphabet: Model, content: bytes, kind: str, status: int, said: str
) -> None:
    client = TestClient(create_app({"m": alphabet}, Limits(body_bytes=500)), base_url=LOCAL)
    answer = client.post("/v1/completions", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    parts = client.post("/v1/completions", content=iter([content]), headers={"Content-Type": kind})
    assert parts.status_code == status
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post("/v1/completions", content=content, headers=packed).status_code == 415


def test_other_paths_and_methods_are_errors_of_the_same_shape(alphabet: Model) -> None:
    client = TestClient(create_app({"m": alphabet}), base_url=LOCAL)
    assert client.get("/v1/nothing").json()["error"]["message"] == "there is no path '/v1/nothing'"
    answer = client.get("/v1/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "genrun" in client.get("/").text


def test_a_browser_loads_nothing_from_elsewhere_and_shows_the_page_in_no_other(alphabet: Model) -> None:
    client = TestClient(create_app({"m": alphabet}), base_url=LOCAL)
    for path in ("/", "/app.js", "/v1/models", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"].split("; ")
        assert {"default-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert not any("http" in part or "unsafe" in part or "*" in part for part in policy)
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OptionError, match="rows must be above 0, not 0"):
        Limits(rows=0)
    assert Limits(queue=0).queue == 0


def test_the_log_has_no_text_of_anyone(alphabet: Model, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json")
    try:
        client = TestClient(create_app({"m": alphabet}), base_url=LOCAL)
        client.post("/v1/completions", json={"prompt": "abc"}, headers={"X-Request-Id": "my-1"})
    finally:
        for name in ("genrun.serving", "uvicorn", "asyncio"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
    [line] = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["request_id"], logged["status"], logged["completion_tokens"]) == ("my-1", 200, 5)
    assert "abc" not in line


class Steps:
    """Counts the rows of each step, and calls ``reached`` after some of them."""

    def __init__(self, halt: int, reached: Callable[[], object]) -> None:
        self.halt, self.reached, self.rows = halt, reached, list[int]()

    def __call__(self, rows: int) -> None:
        self.rows.append(rows)
        if len(self.rows) == self.halt:
            self.reached()


@dataclass(frozen=True)
class Counting:
    """A greedy decoder that reports its steps."""

    steps: Steps

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        self.steps(len(logits))
        highest: NDArray[np.int64] = logits.argmax(axis=1)
        return highest


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Steps], None]:
    """Have every chain of a request end with a decoder that counts."""

    def use(steps: Steps) -> None:
        monkeypatch.setattr("genrun.serving.asking.asked.chain_of", lambda *_: Counting(steps))

    return use


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_row_and_its_place_within_a_step(
    letter_words: Model, counting: Callable[[Steps], None], stream: bool
) -> None:
    async def main() -> None:
        loop, left = asyncio.get_running_loop(), asyncio.Event()
        steps = Steps(20, lambda: loop.call_soon_threadsafe(left.set))
        counting(steps)
        app = create_app({"m": letter_words})
        server = app.state.server
        body = {"prompt": "a", "max_tokens": ENDLESS, "stream": stream, "n": 3}
        sent = await ask(app, body, left)
        assert (server.places.taken, server.places.running) == (0, 0)
        assert all(message.get("more_body", True) for message in sent)
        assert len(asyncio.all_tasks()) == 1
        while letter_words.unfinished:
            await asyncio.sleep(0)
        assert len(steps.rows) < ENDLESS
        assert b"genrun:clients_left_total 1.0" in server.metrics.text()

    asyncio.run(main())


def test_a_request_without_a_place_is_refused_before_its_body_is_read(alphabet: Model) -> None:
    async def main() -> None:
        app = create_app({"m": alphabet}, Limits(rows=1, queue=1))
        held = [app.state.server.places.reserve() for _ in range(2)]
        [start, answer] = await ask(app, {"not": "even read"})
        assert start["status"] == 429
        assert int(dict(start["headers"])[b"retry-after"]) >= 1
        assert json.loads(answer["body"])["error"]["code"] == "queue_full"
        held.pop().release()
        [start, _] = await ask(app, {"prompt": "a", "n": 2})
        assert start["status"] == 429
        [start, _] = await ask(app, {"prompt": "a", "n": 3})
        assert start["status"] == 400
        [start, _] = await ask(app, {"prompt": "a"})
        assert start["status"] == 200
        assert app.state.server.places.taken == 1

    asyncio.run(main())


def test_a_text_that_waits_too_long_is_given_up(alphabet: Model) -> None:
    async def main() -> None:
        app = create_app({"m": alphabet}, Limits(rows=1, queue_seconds=0.01))
        async with app.state.server.places.turn():
            for stream in (False, True):
                [start, answer] = await ask(app, {"prompt": "a", "stream": stream})
                assert start["status"] == 503
                assert b"retry-after" in dict(start["headers"])
                assert json.loads(answer["body"])["error"]["code"] == "queue_timeout"
        [start, _] = await ask(app, {"prompt": "a"})
        assert start["status"] == 200

    asyncio.run(main())


def test_no_request_is_accepted_once_the_server_closes(alphabet: Model) -> None:
    app = create_app({"m": alphabet})
    app.state.server.closing = True
    client = TestClient(app, base_url=LOCAL)
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == client.get("/health").status_code == 503
    answer = client.post("/v1/completions", json={"prompt": "a"})
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def test_a_row_at_a_time_gives_the_same_texts(alphabet: Model) -> None:
    async def main(rows: int) -> list[str]:
        app = create_app({"m": alphabet}, Limits(rows=rows))
        body = {"prompt": ["a", "b", "c"], "n": 4, "seed": 3, "temperature": 1.5}
        [_, answer] = await ask(app, body)
        return [choice["text"] for choice in json.loads(answer["body"])["choices"]]

    assert asyncio.run(main(1)) == asyncio.run(main(100))
