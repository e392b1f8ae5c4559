"""Generating from an event loop: the same texts, a loop that goes on, and an end when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.model import Model
from genrun.results import UnknownWordsWarning

PATIENCE_SECONDS = 300  # only a failing test waits so long: for a deadlock it would be for ever
ENDLESS = 10_000  # as many choices are made where a call is not ended


@dataclass(frozen=True, slots=True)
class Gated:
    """A greedy decoder that stands still at its ``halt``-th choice until it may go on, and counts its choices."""

    halt: int
    entered: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    calls: list[int] = field(default_factory=list)

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        self.calls.append(len(logits))
        if len(self.calls) == self.halt:
            self.entered.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS), "nobody let the decoder go on: the loop stood still"
        highest: NDArray[np.int64] = logits.argmax(axis=1)
        return highest


async def collect(pieces: AsyncIterator[str]) -> list[str]:
    return [piece async for piece in pieces]


async def streamed(model: Model, prompt: str, **choices: Any) -> str:
    return prompt + "".join(await collect(model.astream(prompt, **choices)))


async def first_of_many(model: Model, prompt: str, **choices: Any) -> str:
    [result] = await model.agenerate_many([prompt], **choices)
    return result.text


Call = Callable[..., Coroutine[Any, Any, str]]
each_call = pytest.mark.parametrize("call", [Model.agenerate, first_of_many, streamed])


def test_texts_are_those_of_the_synchronous_forms(babble: Model) -> None:
    choices: dict[str, Any] = {"seed": 7, "max_new_tokens": 30, "stop": ["love you", "."], "casing": "title"}
    prompts = ["", "i", "you don’t", "love , love"]

    async def main() -> None:
        for prompt in prompts:
            assert await babble.agenerate(prompt, **choices) == babble.generate(prompt, **choices)
            pieces = await collect(babble.astream(prompt, **choices))
            assert pieces == list(babble.stream(prompt, **choices))
        results = await babble.agenerate_many(iter(prompts), n=3, batch_size=2, **choices)
        assert results == babble.generate_many(prompts, n=3, **choices)

    asyncio.run(main())


def test_many_at_once_do_not_disturb_each_other(babble: Model) -> None:
    async def main() -> list[str]:
        calls = (babble.agenerate("i", seed=seed) for seed in range(40))
        return list(await asyncio.gather(*calls))

    assert asyncio.run(main()) == [babble.generate("i", seed=seed) for seed in range(40)]


def test_settings_may_be_given_as_one(alphabet: Model) -> None:
    settings = alphabet.settings(max_new_tokens=2)
    assert asyncio.run(alphabet.agenerate("a", settings=settings)) == "abc"
    assert asyncio.run(collect(alphabet.astream("a", settings=settings))) == ["b", "c"]


@each_call
def test_the_loop_goes_on_while_a_text_is_generated(letter_words: Model, call: Call) -> None:
    """The decoder goes on only when the loop has ticked a hundred times since: on one thread, that is a deadlock."""
    decoder = Gated(halt=3)

    async def main() -> str:
        task = asyncio.create_task(call(letter_words, "a", decoder=decoder, max_new_tokens=9))
        while not decoder.entered.is_set():
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not task.done()
        decoder.may_go_on.set()
        return await task

    assert asyncio.run(main()) == letter_words.generate("a", decoder="greedy", max_new_tokens=9)
    assert len(decoder.calls) == 9


@each_call
def test_the_step_of_a_cancelled_call_is_its_last(letter_words: Model, call: Call) -> None:
    decoder = Gated(halt=3)
    letter_words.generate_many(["a"], max_new_tokens=1)  # starts the model's own threads, which stay
    before = set(threading.enumerate())

    async def main() -> None:
        task = asyncio.create_task(call(letter_words, "a", decoder=decoder, max_new_tokens=ENDLESS))
        while not decoder.entered.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not decoder.may_go_on.is_set()  # the loop did not wait for the worker
        decoder.may_go_on.set()
        await asyncio.get_running_loop().shutdown_default_executor()  # returns when the workers have ended
        for thread in set(threading.enumerate()) - before:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    asyncio.run(main())
    assert len(decoder.calls) == 3


def test_a_stream_that_is_left_makes_no_further_step(letter_words: Model) -> None:
    decoder = Gated(halt=0)

    async def main() -> list[str]:
        pieces = letter_words.astream("a", decoder=decoder, max_new_tokens=ENDLESS)
        taken = []
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                taken.append(piece)
                if len(taken) == 4:
                    break
        await asyncio.get_running_loop().shutdown_default_executor()
        return taken

    assert asyncio.run(main()) == [" b", " c", " d", " e"]
    assert len(decoder.calls) == 4


def test_a_stream_generates_only_what_is_asked_for(letter_words: Model) -> None:
    decoder = Gated(halt=0)

    async def main() -> None:
        pieces = letter_words.astream("a", decoder=decoder, max_new_tokens=ENDLESS)
        assert decoder.calls == []
        for count in (1, 2, 3):
            await anext(pieces)
            assert len(decoder.calls) == count
        await pieces.aclose()

    asyncio.run(main())


@each_call
def test_errors_come_to_who_waits(letter_words: Model, call: Call) -> None:
    with pytest.raises(OptionError, match="max_new_tokens must be"):
        asyncio.run(call(letter_words, "a", max_new_tokens=0))
    with pytest.raises(OptionError, match="give either settings or seed, not both"):
        asyncio.run(call(letter_words, "a", settings=letter_words.settings(), seed=1))


def test_unknown_words_are_warned_of_where_the_call_stands(letter_words: Model) -> None:
    async def main() -> None:
        await letter_words.agenerate("a xyzzy", max_new_tokens=1)
        async for _ in letter_words.astream("a plugh", max_new_tokens=1):
            pass

    with pytest.warns(UnknownWordsWarning) as caught:
        asyncio.run(main())
    assert ["xyzzy" in str(caught[0].message), "plugh" in str(caught[1].message)] == [True, True]
    assert {warning.filename for warning in caught} == {__file__}
