"""What a forked process may do with a model that its parent has loaded; docs/embed.md promises it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which is not here")

_CHILD = """
def in_child(work):
    child = os.fork()
    if not child:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def run(program: str) -> list[str]:
    """Return the words that a program prints; a process that hangs is ended with its children."""
    command = [sys.executable, "-W", "ignore", "-c", f"import os, threading, genrun\n{_CHILD}\n{program}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            return process.communicate(timeout=30)[0].split()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise


def test_a_fork_while_another_thread_starts_the_lanes_does_not_hang_the_child(talker_file: Path) -> None:
    assert run(f"""
import genrun.generating.threads
model = genrun.load({str(talker_file)!r}, device="cpu", threads=2)
texts = lambda: [r.text for r in model.generate_many(["the"] * 64, max_new_tokens=4, seed=1)]
wanted = [r.text for r in model.generate_many(["the"] * 64, max_new_tokens=4, seed=1, batch_size=1)]
starting, forked, start = threading.Event(), threading.Event(), genrun.generating.threads._started
def slow(count):
    if threading.current_thread() is first:
        starting.set()
        forked.wait()
    return start(count)
first = threading.Thread(target=texts)
genrun.generating.threads._started = slow
first.start()
starting.wait()
in_child(lambda: texts() == wanted)
forked.set()
first.join()
print(texts() == wanted)
""") == ["0", "True"]


def test_a_fork_while_texts_share_steps_does_not_hang_the_child(talker_file: Path) -> None:
    assert run(f"""
import asyncio
class Waiting:
    def choose(self, logits, tokens, draws):
        stepping.set()
        forked.wait()
        return logits.argmax(axis=1)
model = genrun.load({str(talker_file)!r}, device="cpu", threads=2)
wanted = model.generate("the", max_new_tokens=4, seed=1)
stepping, forked = threading.Event(), threading.Event()
text = model.schedule("the", decoder=Waiting(), max_new_tokens=4)
stepping.wait()
model._scheduler._state.lock.acquire()
in_child(lambda: model.unfinished == 0 and wanted == model.schedule("the", max_new_tokens=4, seed=1).result().text)
in_child(lambda: asyncio.run(model.agenerate("the", max_new_tokens=4, seed=1)) == wanted)
model._scheduler._state.lock.release()
forked.set()
print(len(text.result().ids))
""") == ["0", "0", "4"]


def test_a_fork_while_another_thread_suggests_does_not_hang_the_child(talker_file: Path) -> None:
    assert run(f"""
import genrun.suggesting.suggester
model = genrun.load({str(talker_file)!r}, device="cpu")
making, forked, make = threading.Event(), threading.Event(), genrun.suggesting.suggester.TypedTextReader.__init__
def slow(*given):
    if threading.current_thread() is first:
        making.set()
        forked.wait()
    make(*given)
genrun.suggesting.suggester.TypedTextReader.__init__ = slow
first = threading.Thread(target=model.suggest, args=["the "])
first.start()
making.wait()
in_child(lambda: len(model.suggest("the ")) == 5)
forked.set()
first.join()
""") == ["0"]


def test_a_child_of_multiprocessing_ends_by_itself(talker_file: Path) -> None:
    """It ends with ``os._exit``, so that onnxruntime's libraries are not taken apart."""
    assert run(f"""
import multiprocessing
model = genrun.load({str(talker_file)!r}, device="cpu")
before = model.generate("the", max_new_tokens=4, seed=1)
def work(): print(model.generate("the", max_new_tokens=4, seed=1) == before, flush=True)
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
print(child.exitcode)
""") == ["True", "0"]


def test_what_a_first_text_needs_is_imported_when_a_model_is_loaded(talker_file: Path) -> None:
    """But for the decoder, which is a plugin: a child cannot import what another thread was importing at the fork."""
    assert run(f"""
import sys
model = genrun.load({str(talker_file)!r}, device="cpu")
settings = model.settings(seed=1)
before = set(sys.modules)
model.generate("the", settings=settings)
model.generate_many(["the"] * 40, settings=settings)
list(model.stream("the", settings=settings))
model.score("the")
model.suggest("the ")
print(sorted(set(sys.modules) - before))
""") == ["[]"]
