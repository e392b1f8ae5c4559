"""Steps of several batches at once: while the step of one runs, what another one chose is looked at.

A small step leaves most cores idle, and gains nothing from more threads within one operator. Two batches of half the
size do, each on its own thread: onnxruntime lets go of Python's lock while it computes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

__all__ = ["Begin", "Lanes", "Pending", "later"]

_ROWS = 16  # of a batch that is worth a thread of its own
_MOST = 8  # lanes; Python serves them in turn

Returned = TypeVar("Returned", covariant=True)


class Pending(Protocol[Returned]):
    """What has been begun."""

    def result(self) -> Returned:
        """Wait for what it returns, or raise what it raises."""


class _Later(Generic[Returned]):
    """Work that is done when its result is asked for."""

    __slots__ = ("result",)

    def __init__(self, work: Callable[[], Returned]) -> None:
        self.result = work


class _Begun(Generic[Returned]):
    """Work on a thread. A process that was forked meanwhile does not have that thread, and does the work itself."""

    __slots__ = ("_future", "_process", "_work")

    def __init__(self, work: Callable[[], Returned], future: Future[Returned]) -> None:
        self._work, self._future, self._process = work, future, os.getpid()

    def result(self) -> Returned:
        return self._future.result() if self._process == os.getpid() else self._work()


class Begin(Protocol):
    """A way to begin some work."""

    def __call__(self, work: Callable[[], Returned]) -> Pending[Returned]:
        """Begin ``work``, now or when its result is asked for."""


def later(work: Callable[[], Returned]) -> Pending[Returned]:
    """Begin ``work`` only when its result is asked for, on the thread that asks."""
    return _Later(work)


class Lanes:
    """At most ``count`` threads for the steps of one model, started when they are first needed."""

    def __init__(self, count: int) -> None:
        self.count = min(count, _MOST)
        self._lock = threading.Lock()
        self._threads: tuple[int, ThreadPoolExecutor] | None = None  # with the process that they belong to

    def for_batch(self, size: int) -> int:
        """Return into how many batches one of ``size`` rows is best divided."""
        return max(1, min(self.count, size // _ROWS))

    def begin(self, work: Callable[[], Returned]) -> Pending[Returned]:
        """Begin ``work`` on a thread; or later, where no thread can be had any more, as when the interpreter ends."""
        try:
            return _Begun(work, self._executor().submit(work))
        except RuntimeError:
            return later(work)

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None or self._threads[0] != os.getpid():  # threads do not survive a fork
                self._threads = os.getpid(), ThreadPoolExecutor(self.count, "genrun-step")
            return self._threads[1]
