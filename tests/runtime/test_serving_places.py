"""Rows and places come back, whenever a text is cancelled and whenever a client leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis
from hypothesis import strategies as st

from genrun.model import Model
from genrun.serving.app import create_app
from genrun.serving.limits import Limits
from genrun.serving.places import Places
from support.asgi import ask

TURNS = 200  # of the loop, more than what happens here takes
EVENTS = st.tuples(st.sampled_from(["come", "cancel", "end", "turn"]), st.integers(0, 9))


@hypothesis.given(st.lists(EVENTS, max_size=80), st.integers(1, 3))
@hypothesis.settings(max_examples=150)
def test_no_row_is_lost_and_none_is_given_twice(events: list[tuple[str, int]], rows: int) -> None:
    async def main() -> None:
        places, tasks, ends = Places(Limits(rows=rows)), list[asyncio.Task[None]](), list[asyncio.Event]()
        with_row, begun = set[int](), list[int]()

        async def text(number: int, end: asyncio.Event) -> None:
            async with places.turn():
                begun.append(number)
                with_row.add(number)
                try:
                    assert len(with_row) == places.running <= rows
                    await end.wait()
                finally:
                    with_row.remove(number)

        for event, number in events:
            if event == "turn":
                await asyncio.sleep(0)
            elif event == "come":
                ends.append(asyncio.Event())
                tasks.append(asyncio.create_task(text(len(tasks), ends[-1])))
            elif tasks and event == "cancel":
                tasks[number % len(tasks)].cancel()
            elif tasks:
                ends[number % len(tasks)].set()
        for end in ends:
            end.set()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert all(task.done() for task in tasks)  # a lost row would keep those that wait
        assert not [task.exception() for task in tasks if not task.cancelled() and task.exception()]
        assert begun == sorted(begun)
        assert places.running == 0

    asyncio.run(main())


REQUESTS: list[dict[str, Any]] = [
    {"prompt": "love", "stream": True},
    {"prompt": "love", "n": 3, "stream": True, "logprobs": 2},
    {"prompt": ["love", "you"], "n": 2, "logprobs": 1},
    {"prompt": "love", "best_of": 3},
    {"prompt": "i", "constraint": "words:3"},
    {"prompt": ["i", "you"], "n": 2, "distinct": True},
    {"prompt": "love", "n": 2, "stream": True, "max_tokens": 0, "echo": True},
    {"prompt": "love", "stream": True, "labels": {"no": "such label"}},
    {"path": "/v1/suggest", "text": "lo"},
    {"path": "/v1/score", "text": ["love you", "stop"] * 4},
]
CLIENTS = st.tuples(st.sampled_from(REQUESTS), st.integers(0, 60), st.sampled_from(["leave", "cancel", "stay"]))


@hypothesis.given(st.lists(CLIENTS, min_size=1, max_size=6), st.sampled_from([0.0, 0.0005]))
@hypothesis.settings(max_examples=25)
def test_whenever_clients_leave_everything_is_free_again(
    babble: Model, clients: list[tuple[dict[str, Any], int, str]], pause: float
) -> None:
    """A client leaves, or its task is cancelled, after some turns of the loop; ``pause``: seconds of a turn."""

    async def main() -> None:
        app = create_app({"m": babble}, Limits(rows=2))
        places, asked = app.state.server.places, list[asyncio.Task[list[dict[str, Any]]]]()
        gone = list[asyncio.Event]()
        for body, _, _ in clients:
            fields = {name: value for name, value in body.items() if name != "path"}
            gone.append(asyncio.Event())
            asked.append(asyncio.create_task(ask(app, fields, gone[-1], body.get("path", "/v1/completions"))))
        for turn in range(61):
            for (_, end, how), task, left in zip(clients, asked, gone, strict=True):
                if turn == end and how == "leave":
                    left.set()
                elif turn == end and how == "cancel":
                    task.cancel()
            await asyncio.sleep(pause)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer, (_, _, how) in zip(answers, clients, strict=True):
            assert isinstance(answer, list) or (how, type(answer)) == ("cancel", asyncio.CancelledError)
            assert how != "stay" or (isinstance(answer, list) and not answer[-1].get("more_body"))
        while len(asyncio.all_tasks()) > 1 or babble.unfinished:  # the last steps of those that were given up
            await asyncio.sleep(0)
        assert (places.taken, places.running) == (0, 0)
        [start, _] = await ask(app, {"prompt": "love", "n": 2})
        assert start["status"] == 200

    asyncio.run(main())
