"""Threads for batches that run side by side: one computes while another one chooses.

A small step leaves most cores idle, and gains nothing from more threads within one operator. Two batches of half the
size do, each on its own thread: onnxruntime and NumPy let go of Python's lock while they compute.

Work never waits for a thread: what finds no free one is done by the thread that asks for its result. So a decoder may
generate with its own model, on whatever thread, and a call that waits always waits for something that is being done.
There are no locks here: none can be held at a fork, or by the code that a signal interrupts.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from genrun.errors import GenrunError

__all__ = ["BatchThreads", "PendingResult", "forks"]

_MIN_ROWS = 16  # of a batch that is worth a thread
_MAX_THREADS = 8  # Python serves them in turn

Returned = TypeVar("Returned")

_forks = 0  # between the process that imported this module and this one


def _count_fork() -> None:
    global _forks
    _forks += 1


def forks() -> int:
    """Return how often this process was forked off since the module was imported: threads do not survive a fork."""
    return _forks


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_count_fork)


class PendingResult(Generic[Returned]):
    """Work that runs on a thread, or that is done when its result is asked for."""

    __slots__ = ("_forks", "_work", "future")

    def __init__(self, work: Callable[[], Returned], future: Future[Returned] | None) -> None:
        self._work, self.future, self._forks = work, future, _forks

    def result(self) -> Returned:
        """Wait for what it returns, or raise what it raises.

        Raises GenrunError in a process that was forked meanwhile, which does not have the thread.
        """
        if self._forks != _forks:
            raise GenrunError("texts begun before a fork cannot be finished by the child: begin again there")
        return self._work() if self.future is None else self.future.result()

    def outcome(self) -> Returned | None:
        """Wait until it is over and return what it returns; None where it failed, or was never begun."""
        if not self.is_running() or self.future is None:
            return None
        wait([self.future])
        return None if self.future.exception() else self.future.result()

    def is_running(self) -> bool:
        """Return whether a thread of this process has it."""
        return self.future is not None and self._forks == _forks


class _Threads:
    """Threads that have been started, and how many of them are free; they do not survive a fork."""

    def __init__(self, count: int) -> None:
        self.executor = _started(count)
        self.free = deque(range(count))  # taking and giving back are atomic
        self.forks = _forks

    def begin(self, work: Callable[[], Returned]) -> Future[Returned] | None:
        """Begin ``work`` on a free thread, None if there is none; RuntimeError when the interpreter ends."""
        try:
            thread = self.free.pop()
        except IndexError:
            return None

        def done() -> Returned:
            try:
                return work()
            finally:
                self.free.append(thread)

        try:
            return self.executor.submit(done)
        except BaseException:
            self.free.append(thread)
            raise


class BatchThreads:
    """At most ``count`` threads for the batches of one model, started when they are first needed."""

    def __init__(self, count: int) -> None:
        self.count = min(count, _MAX_THREADS)
        self._threads: _Threads | None = None

    def divided(self, size: int) -> list[int]:
        """Return the sizes of the batches that one of ``size`` rows is best divided into."""
        count = max(1, min(self.count, size // _MIN_ROWS))
        return [(size + i) // count for i in range(count)]

    def begin(self, work: Callable[[], Returned]) -> PendingResult[Returned]:
        """Begin ``work`` on a thread; or later, where none is free, or can be started any more."""
        threads = self._threads
        try:
            if threads is None or threads.forks != _forks:
                threads = self._threads = _Threads(self.count)
            return PendingResult(work, threads.begin(work))
        except RuntimeError:
            return PendingResult(work, None)

    def first(self, works: Collection[PendingResult[Returned]]) -> PendingResult[Returned]:
        """Wait until the result of one of ``works`` can be had, and return that one."""
        for work in works:
            if not work.is_running():
                return work
        futures = {work.future: work for work in works}
        done, _ = wait([future for future in futures if future is not None], return_when=FIRST_COMPLETED)
        return futures[done.pop()]


def _started(count: int) -> ThreadPoolExecutor:
    """Return an executor all of whose threads have been started; raises RuntimeError where one cannot be.

    A pool that fails to start a thread raises but keeps the work queued, so all threads are started before any work.
    """
    executor, gate = ThreadPoolExecutor(count, "genrun-lane"), threading.Event()
    try:
        for _ in range(count):
            executor.submit(gate.wait)
    except RuntimeError:
        executor.shutdown(wait=False)
        raise
    finally:
        gate.set()
    return executor
