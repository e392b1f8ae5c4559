"""Several batches at once: the same texts as from one, whatever goes wrong in a lane."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import genrun
from genrun.errors import GenrunError, ModelFileError
from genrun.generating.threads import BatchThreads
from genrun.model import Model

PROMPTS = [word for word in ("the council", "what the", "mayor", "", "new ferry") for _ in range(20)]


@dataclass(frozen=True)
class Least:
    """A decoder that the graph knows nothing of: the draw chooses among the two least likely tokens.

    ``before`` is called with the tokens so far, whenever it is to choose.
    """

    before: Callable[[Sequence[NDArray[np.int64]]], object] = len

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        self.before(tokens)
        least = np.argsort(np.where(np.isinf(logits), np.inf, logits), axis=1)[:, :2]
        chosen: NDArray[np.int64] = least[np.arange(len(least)), (draws >= 0.5).astype(int)]
        return chosen


@pytest.fixture(scope="module")
def models(talker_file: Path) -> tuple[Model, Model]:
    """One model with one lane, and with four."""
    one, four = (genrun.load(talker_file, device="cpu", threads=threads) for threads in (1, 4))
    assert (one._threads.count, four._threads.count) == (1, 4)
    return one, four


@pytest.mark.parametrize("decoder", ["top-k", "greedy", "temperature", Least()], ids=str)
def test_the_texts_are_those_of_one_batch(models: tuple[Model, Model], decoder: str | Least) -> None:
    one, four = (
        model.generate_many(PROMPTS, n=2, batch_size=70, max_new_tokens=9, decoder=decoder, seed=3)
        for model in models
    )
    assert [result.ids for result in four] == [result.ids for result in one]
    assert [result.text for result in four] == [result.text for result in one]
    for a, b in zip(one, four, strict=True):
        assert a.log_probability == pytest.approx(b.log_probability, abs=1e-3)


@pytest.mark.parametrize(("size", "count"), [(1, 1), (16, 1), (31, 1), (32, 2), (47, 2), (48, 3), (64, 4), (1000, 4)])
def test_a_small_batch_is_not_divided(size: int, count: int) -> None:
    divided = BatchThreads(4).divided(size)
    assert (len(divided), sum(divided)) == (count, size)
    assert max(divided) - min(divided) <= 1
    assert BatchThreads(1).divided(size) == [size]
    assert len(BatchThreads(1000).divided(10**6)) < 20


def test_batches_run_on_threads_of_their_own(models: tuple[Model, Model]) -> None:
    seen: set[str] = set()
    _, model = models

    where = Least(lambda _: seen.add(threading.current_thread().name))
    model.generate_many(PROMPTS, batch_size=64, max_new_tokens=3, decoder=where, seed=1)
    assert seen
    assert all(name.startswith("genrun-lane") for name in seen)


def test_which_texts_share_a_batch_depends_on_no_clock(
    models: tuple[Model, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BatchThreads of different pace get the same rows: logits of other batches may be rounded otherwise."""
    _, model = models
    monkeypatch.setattr("genrun.generating.scheduling._MAX_LEAD", 1000)  # of lanes as different as these
    firsts, seconds = ("the", "a", "new", "what"), ("", "mayor", "the a", "x")
    prompts = [f"{first} {second}" for first in firsts for second in seconds] * 20
    groups = []
    for slow in (False, True):
        seen: set[tuple[tuple[int, ...], ...]] = set()

        def note(tokens: Sequence[NDArray[np.int64]], seen: Any = seen, slow: bool = slow) -> None:
            seen.add(tuple(tuple(row.tolist()) for row in tokens))
            if slow and threading.current_thread().name.endswith("_0"):
                time.sleep(0.002)

        model.generate_many(prompts, batch_size=64, max_new_tokens=7, decoder=Least(note), seed=1)
        groups.append(seen)
    assert groups[0] == groups[1]


class Failing:
    """A session of onnxruntime whose steps fail."""

    def __init__(self, session: Any) -> None:
        self.io_binding = session.io_binding

    def run_with_iobinding(self, binding: Any) -> None:
        raise ZeroDivisionError("division by zero")


def test_a_step_that_fails_in_a_lane_is_an_error_and_not_the_end(
    models: tuple[Model, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model = models
    settings = model.settings(max_new_tokens=5, seed=1)
    wanted = model.generate_many(PROMPTS, settings=settings)
    with monkeypatch.context() as patch:
        patch.setattr(model._session, "_single_threaded", Failing(model._session._single_threaded))
        with pytest.raises(ModelFileError, match=r"the decoding step failed: .*division by zero"):
            model.generate_many(PROMPTS, settings=settings)
    assert [r.text for r in model.generate_many(PROMPTS, settings=settings)] == [r.text for r in wanted]


def test_results_that_nobody_takes_are_no_harm(models: tuple[Model, Model]) -> None:
    _, model = models
    settings = model.settings(max_new_tokens=5, seed=1)
    wanted = model.generate_many(PROMPTS, settings=settings)
    results = model.generate_each(iter(PROMPTS), settings=settings)
    assert next(results).text == wanted[0].text
    results.close()  # type: ignore[attr-defined]
    assert [r.text for r in model.generate_many(PROMPTS, settings=settings)] == [r.text for r in wanted]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which is not here")
def test_a_forked_process_has_threads_of_its_own(talker_file: Path) -> None:
    program = f"""
import os, genrun
model = genrun.load({str(talker_file)!r}, device="cpu", threads=2)
texts = lambda: [r.text for r in model.generate_many(["the"] * 64, max_new_tokens=4, seed=1)]
before = texts()
child = os.fork()
if not child:
    os._exit(0 if texts() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "0\n"


def test_the_interpreter_may_be_ending(talker_file: Path) -> None:
    program = f"""
import atexit, threading, time, genrun
model = genrun.load({str(talker_file)!r}, device="cpu", threads=2)
def more(when):
    print(when, len(model.generate_many(["the"] * 64, max_new_tokens=4, seed=1)), flush=True)
def slowly():
    time.sleep(0.5)
    more("thread")
more("main")
threading.Thread(target=slowly).start()
atexit.register(more, "atexit")
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ran.stdout.split("\n"), ran.stderr) == (["main 64", "thread 64", "atexit 64", ""], "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which is not here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_texts_that_were_going_at_a_fork_are_refused_by_the_child() -> None:
    """Their threads are not there, and nobody knows how far they had got."""

    def work() -> int:
        time.sleep(0.5)
        return os.getpid()

    lanes = BatchThreads(2)
    parent, begun = os.getpid(), lanes.begin(work)
    if not (child := os.fork()):
        try:
            lanes.first([begun]).result()
        except GenrunError:
            os._exit(0)
        os._exit(1)
    assert lanes.first([begun]).result() == parent
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_decoder_may_generate_with_the_same_model_on_any_thread(talker_file: Path) -> None:
    """In a process of its own: where lanes wait for each other, not even the interpreter ends."""
    program = f"""
from concurrent.futures import ThreadPoolExecutor
import numpy as np, genrun
model = genrun.load({str(talker_file)!r}, device="cpu", threads=4)
many = lambda decoder: model.generate_many(["the"] * 40, max_new_tokens=2, decoder=decoder, seed=1)
class Rollout:
    def __init__(self, threads): self.threads = threads
    def choose(self, logits, tokens, draws):
        with ThreadPoolExecutor(max(1, self.threads)) as pool:
            calls = [pool.submit(many, "greedy") for _ in range(self.threads)]
            found = [call.result() for call in calls] or [many("greedy")]
        assert all(len(results) == 40 for results in found)
        return logits.argmax(axis=1)
wanted = [result.text for result in many("greedy")]
for threads in (0, 1, 3):
    print([result.text for result in many(Rollout(threads))] == wanted)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["True"] * 3


def test_calls_of_more_threads_than_there_are_lanes_give_the_same_texts(models: tuple[Model, Model]) -> None:
    _, model = models
    together = threading.Barrier(8)

    def work(_: int) -> list[str]:
        together.wait(30)
        return [result.text for result in model.generate_many(PROMPTS, max_new_tokens=5, decoder=Least(), seed=1)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert found == [found[0]] * 8
    assert len(model._threads._threads.free) == 4  # type: ignore[union-attr]


def test_an_abandoned_generator_may_be_closed_on_a_lane(models: tuple[Model, Model]) -> None:
    """As the garbage collector may do it: there, to wait for the lane would be for ever."""
    left, closed = threading.Event(), threading.Event()

    def close(tokens: Sequence[NDArray[np.int64]]) -> None:
        if len(tokens[0]) > 4 and left.wait(20):  # the second lane's, whose prompts are longer
            results.close()  # type: ignore[attr-defined]
            closed.set()

    prompts = ["the"] * 16 + ["the what the mayor the what the mayor"] * 16
    results = models[1].generate_each(prompts, batch_size=32, max_new_tokens=1, decoder=Least(close), seed=1)
    next(results)
    left.set()
    assert closed.wait(20)


def test_where_threads_cannot_be_started_the_texts_are_the_same(
    talker_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that fails to start a thread does the work all the same when another one is free."""
    model, start = genrun.load(talker_file, device="cpu", threads=4), threading.Thread.start
    settings = model.settings(max_new_tokens=9, seed=1)
    wanted = [result.text for result in model.generate_many(PROMPTS, batch_size=1, settings=settings)]
    started: list[threading.Thread] = []

    def refuse(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        texts = [result.text for result in model.generate_many(PROMPTS, batch_size=64, settings=settings)]
    assert len(started) == 1
    assert texts == wanted
