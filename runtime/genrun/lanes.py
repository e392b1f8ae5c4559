"""Batches that run side by side: while the graph of one computes, what another one chose is looked at.

A small step leaves most cores idle, and gains nothing from more threads within one operator. Two batches of half the
size do, each on its own thread: onnxruntime and NumPy let go of Python's lock while they compute.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from genrun.errors import GenrunError

__all__ = ["Lanes", "Work"]

_ROWS = 16  # of a batch that is worth a thread of its own
_MOST = 8  # lanes; Python serves them in turn

Returned = TypeVar("Returned")


class Work(Generic[Returned]):
    """Work that has been begun on a thread, or that is done when its result is asked for."""

    __slots__ = ("_process", "_work", "future")

    def __init__(self, work: Callable[[], Returned], future: Future[Returned] | None) -> None:
        self._work, self.future, self._process = work, future, os.getpid()

    def result(self) -> Returned:
        """Wait for what it returns, or raise what it raises.

        Raises GenrunError in a process that was forked meanwhile, which does not have the thread.
        """
        if self._process != os.getpid():
            raise GenrunError("texts that were begun before a fork cannot be finished by the child: begin anew there")
        return self._work() if self.future is None else self.future.result()

    def outcome(self) -> Returned | None:
        """Wait until it is over and return what it returns; None where it failed, or was never begun."""
        if not self.is_elsewhere() or self.future is None:
            return None
        wait([self.future])
        return None if self.future.exception() else self.future.result()

    def is_elsewhere(self) -> bool:
        """Return whether it goes on without being asked for."""
        return self.future is not None and self._process == os.getpid()


class Lanes:
    """At most ``count`` threads for the batches of one model, started when they are first needed."""

    def __init__(self, count: int) -> None:
        self.count = min(count, _MOST)
        self._lock = threading.Lock()
        self._threads: tuple[int, ThreadPoolExecutor] | None = None  # with the process that they belong to

    def divided(self, size: int) -> list[int]:
        """Return the sizes of the batches that one of ``size`` rows is best divided into.

        On a lane, where a decoder may generate as well, it is one: to wait for other lanes there could be for ever.
        """
        count = 1 if getattr(_thread, "is_lane", False) else max(1, min(self.count, size // _ROWS))
        return [(size + i) // count for i in range(count)]

    def begin(self, work: Callable[[], Returned]) -> Work[Returned]:
        """Begin ``work`` on a thread; or later, where no thread can be had any more, as when the interpreter ends."""
        try:
            return Work(work, self._executor().submit(work))
        except RuntimeError:
            return Work(work, None)

    def first(self, works: Collection[Work[Returned]]) -> Work[Returned]:
        """Wait until the result of one of ``works`` can be had, and return that one."""
        for work in works:
            if not work.is_elsewhere():
                return work
        futures = {work.future: work for work in works}
        done, _ = wait([future for future in futures if future is not None], return_when=FIRST_COMPLETED)
        return futures[done.pop()]

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None or self._threads[0] != os.getpid():  # threads do not survive a fork
                self._threads = os.getpid(), _started(self.count)
            return self._threads[1]


_thread = threading.local()


def _started(count: int) -> ThreadPoolExecutor:
    """Return an executor all of whose threads have been started; raises RuntimeError where one cannot be.

    A pool that fails to start a thread for some work raises, and does the work all the same when another is free.
    """
    executor, gate = ThreadPoolExecutor(count, "genrun-lane", _is_lane), threading.Event()
    try:
        for _ in range(count):
            executor.submit(gate.wait)
    except RuntimeError:
        executor.shutdown(wait=False)
        raise
    finally:
        gate.set()
    return executor


def _is_lane() -> None:
    _thread.is_lane = True
