"""Texts that are scheduled from anywhere share steps, and each is the text that it is alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun.errors import OptionError, PluginError, PromptError
from genrun.generating.sharing.scheduler import sharing_key
from genrun.model import Model
from genrun.registry import make_decoder
from genrun.results import UnknownWordsWarning

PATIENCE_SECONDS = 300
ENDLESS = 10_000


@dataclass(frozen=True)
class Watched:
    """A greedy decoder that calls ``before`` with the tokens so far, and keeps how many rows each step had."""

    before: Callable[[Sequence[NDArray[np.int64]]], object] = len
    rows: list[int] = field(default_factory=list)

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        self.rows.append(len(logits))
        self.before(tokens)
        highest: NDArray[np.int64] = logits.argmax(axis=1)
        return highest


class Gate:
    """Stands still at the ``halt``-th call until it is opened."""

    def __init__(self, halt: int) -> None:
        self.halt, self.calls = halt, 0
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, tokens: object) -> None:
        self.calls += 1
        if self.calls == self.halt:
            self.entered.set()
            assert self.opened.wait(PATIENCE_SECONDS)


CALLS = st.fixed_dictionaries(
    {"prompt": st.sampled_from(["", "i", "you don’t", "love , love", "stop"]), "seed": st.integers(0, 3)},
    optional={
        "max_new_tokens": st.integers(1, 12),
        "decoder": st.sampled_from(["greedy", "top-k", "temperature", "top-p"]),
        "stop": st.sampled_from(["love", ("you", ".")]),
        "casing": st.sampled_from(["none", "title", "upper"]),
    },
)


def test_pieces_that_have_waited_can_be_taken_as_one(letter_words: Model) -> None:
    async def main() -> None:
        text = await letter_words.aschedule("a", stream=True, max_new_tokens=9)
        await text.result()
        assert [piece async for piece in text.pieces(joined=True)] == [" b c d e f g h i j"]
        assert [piece async for piece in text.pieces(joined=True)] == []

    asyncio.run(main())


@hypothesis.given(st.lists(st.tuples(CALLS, st.booleans(), st.booleans()), min_size=1, max_size=25))
@hypothesis.settings(max_examples=12)
def test_a_scheduled_text_is_the_text_alone(babble: Model, calls: list[tuple[dict[str, Any], bool, bool]]) -> None:
    def made(call: dict[str, Any], stream: bool) -> str:
        text = babble.schedule(**call, stream=stream)
        pieces = list(text.pieces()) if stream else []
        result = text.result()
        assert "".join(pieces) == (result.continuation if stream else "")
        return result.text

    async def amade(call: dict[str, Any], stream: bool) -> str:
        if not stream:
            return await babble.agenerate(**call)
        text = await babble.aschedule(**call, stream=True)
        pieces = [piece async for piece in text.pieces()]
        assert "".join(pieces) == (await text.result()).continuation
        return (await text.result()).text

    async def in_a_loop() -> list[str]:
        return await asyncio.gather(*(amade(call, stream) for call, stream, threaded in calls if not threaded))

    with ThreadPoolExecutor(4) as pool:
        threaded = [pool.submit(made, call, stream) for call, stream, threaded in calls if threaded]
        looped = asyncio.run(in_a_loop())
    assert [text.result() for text in threaded] == [babble.generate(**call) for call, _, own in calls if own]
    assert looped == [babble.generate(**call) for call, _, own in calls if not own]


def test_calls_that_meet_share_every_step(letter_words: Model) -> None:
    decoder = Watched()

    async def main() -> list[str]:
        calls = (letter_words.agenerate("a", decoder=decoder, max_new_tokens=7, seed=seed) for seed in range(12))
        return list(await asyncio.gather(*calls))

    assert len(set(asyncio.run(main()))) == 1
    assert decoder.rows == [12] * 7


def test_decoders_with_the_same_options_share_and_others_do_not() -> None:
    five, six = (make_decoder("top-k", {"k": k}) for k in (5, 6))
    assert sharing_key(five) == sharing_key(make_decoder("top-k", {"k": 5})) != sharing_key(six)
    one, two = Watched(), Watched()  # lists are no options: who knows what they do
    assert sharing_key(one) == sharing_key(one) != sharing_key(two)


def test_a_text_joins_at_the_next_step_and_leaves_when_it_is_finished(letter_words: Model) -> None:
    gate = Gate(halt=3)
    decoder = Watched(gate)
    first = letter_words.schedule("a", decoder=decoder, max_new_tokens=8)
    gate.entered.wait(PATIENCE_SECONDS)
    second = letter_words.schedule("c", decoder=decoder, max_new_tokens=3)
    assert letter_words.unfinished == 2
    gate.opened.set()
    assert first.result().text == "a b c d e f g h i"
    assert second.result().text == "c d e f"
    assert decoder.rows == [1, 1, 1, 2, 2, 2, 1, 1]


def test_the_row_of_a_cancelled_text_is_free_before_the_next_step(letter_words: Model) -> None:
    gate = Gate(halt=3)
    decoder = Watched(gate)

    async def begin() -> None:
        first = asyncio.create_task(letter_words.agenerate("a", decoder=decoder, max_new_tokens=6))
        second = await letter_words.aschedule("c", decoder=decoder, max_new_tokens=ENDLESS, stream=True)
        while not gate.entered.is_set():
            await asyncio.sleep(0)
        second.cancel()
        gate.opened.set()
        assert await first == "a b c d e f g"
        with pytest.raises(asyncio.CancelledError):
            await second.result()
        assert second.done()

    asyncio.run(begin())
    assert decoder.rows == [2, 2, 2, 1, 1, 1]


def test_a_cancelled_text_of_a_thread_ends_its_wait(letter_words: Model) -> None:
    gate = Gate(halt=2)
    text = letter_words.schedule("a", decoder=Watched(gate), max_new_tokens=ENDLESS, stream=True)
    pieces = text.pieces()
    assert next(pieces) == " b"
    gate.entered.wait(PATIENCE_SECONDS)
    with pytest.raises(TimeoutError):
        text.result(timeout=0)
    text.cancel()
    gate.opened.set()
    with pytest.raises(CancelledError):
        list(pieces)
    with pytest.raises(CancelledError):
        text.result()


def test_an_error_meets_the_text_that_causes_it_alone(letter_words: Model) -> None:
    [bad] = letter_words.tokenizer.encode("h").ids

    def refuse(tokens: Sequence[NDArray[np.int64]]) -> None:
        if any(bad in row for row in tokens):
            raise ValueError("no h")

    decoder = Watched(refuse)
    lengths = (2, 3, 30, 1)
    texts = [letter_words.schedule("d", decoder=decoder, max_new_tokens=most, stream=True) for most in lengths]
    for most, text in zip(lengths, texts, strict=True):
        if most == 30:
            with pytest.raises(PluginError, match="no h"):
                list(text.pieces())
            with pytest.raises(PluginError, match="no h"):
                text.result()
        else:
            assert "".join(text.pieces()) == " e f g"[: 2 * most]
            assert text.result().text == "d e f g"[: 1 + 2 * most]


def test_a_text_that_was_begun_again_repeats_no_piece(letter_words: Model) -> None:
    gate = Gate(halt=4)  # both texts take part in the step that fails

    def once(tokens: Sequence[NDArray[np.int64]]) -> None:
        gate(tokens)
        if gate.calls == 6:
            raise ValueError("once")

    decoder = Watched(once)
    first = letter_words.schedule("a", decoder=decoder, max_new_tokens=9, stream=True)
    gate.entered.wait(PATIENCE_SECONDS)
    second = letter_words.schedule("a", decoder=decoder, max_new_tokens=9, stream=True)
    gate.opened.set()
    assert list(first.pieces()) == list(second.pieces()) == [f" {letter}" for letter in "bcdefghij"]
    assert 1 in decoder.rows[6:]


def test_a_decoder_that_cannot_be_used_is_an_error_of_its_texts(letter_words: Model) -> None:
    @dataclass(frozen=True)
    class Lying(Watched):
        def parameters(self) -> dict[str, float]:
            return {"k": 0}

    broken = [letter_words.schedule("a", decoder=Lying()) for _ in range(3)]
    assert letter_words.schedule("a", decoder="greedy", max_new_tokens=2).result().text == "a b c"
    for text in broken:
        with pytest.raises(PluginError, match="parameters"):
            text.result()


def test_more_texts_than_a_lane_has_rows_wait_for_their_turn(letter_words: Model) -> None:
    decoder = Watched()
    texts = [letter_words.schedule("a", decoder=decoder, max_new_tokens=3) for _ in range(300)]
    assert {text.result().text for text in texts} == {"a b c d"}
    assert max(decoder.rows) <= 64


def test_a_sample_is_that_of_many(babble: Model) -> None:
    wanted = babble.generate_many(["i"], n=3, seed=5)
    assert [babble.schedule("i", sample=sample, seed=5).result() for sample in range(3)] == wanted


def test_nothing_is_left_when_all_texts_are_finished(letter_words: Model) -> None:
    before = set(threading.enumerate())
    texts = [letter_words.schedule("a", decoder=name, max_new_tokens=2) for name in ("greedy", "top-k") * 4]
    for text in texts:
        text.result()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
    assert set(threading.enumerate()) <= before
    assert letter_words.unfinished == 0
    assert letter_words._scheduler._state.lanes == {}


def test_arguments_are_checked_where_the_call_stands(letter_words: Model) -> None:
    with pytest.raises(OptionError, match="max_new_tokens must be"):
        letter_words.schedule("a", max_new_tokens=0)
    with pytest.raises(PromptError, match="a prompt must be text, not 3"):
        asyncio.run(letter_words.aschedule(3))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="sample must be a whole number from 0"):
        letter_words.schedule("a", sample=-1)
    with pytest.raises(OptionError, match="stream=True"):
        next(letter_words.schedule("a").pieces())
    with pytest.warns(UnknownWordsWarning, match="xyzzy") as caught:
        letter_words.schedule("a xyzzy", max_new_tokens=1).result()
    assert caught[0].filename == __file__


@dataclass(frozen=True)
class Parametric(Watched):
    """The graph can choose in place of it."""

    def parameters(self) -> Mapping[str, float]:
        return {"k": 1}


def test_the_graph_chooses_for_texts_of_an_event_loop(talker_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy would wait for Python's lock, which a busy loop holds; texts of threads are left to what is faster."""
    monkeypatch.setattr("genrun.generating.choosing.chooser.graph_is_faster", lambda *_: False)
    model, of_loop, of_thread = genrun.load(talker_file, device="cpu"), Parametric(), Parametric()
    text = asyncio.run(model.agenerate("the council", decoder=of_loop, max_new_tokens=5))
    assert model.schedule("the council", decoder=of_thread, max_new_tokens=5).result().text == text
    assert (of_loop.rows, of_thread.rows) == ([], [1] * 5)
