"""Signals that stop a command, from its first import to its end: Ctrl-C exits with status 130, SIGTERM with 143.

This module imports only the standard library, so that the handlers are set before any slow import.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

__all__ = ["SecondSignal", "StopHandler", "Stopped", "end", "end_on_second", "forget", "handle", "received"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_SHOT = 0x80000000  # SA_RESETHAND of Linux
_received: signal.Signals | None = None


class Stopped(KeyboardInterrupt):
    """The signal ``number`` asked the process to stop."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


class StopHandler:
    """The handler of both signals: the first one raises Stopped, the second one ends the process at once."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Record the signal, leave the next one to the system, and raise Stopped."""
        global _received
        _received = signal.Signals(number)
        forget()
        raise Stopped(_received)


def handle() -> None:
    """Handle both signals, except one that the process ignores, as a background job of a shell does."""
    for number in _SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, StopHandler())


def forget() -> None:
    """Leave the signals to the system, which ends the process; a shell reports the same status."""
    for number in _SIGNALS:
        if isinstance(signal.getsignal(number), StopHandler):
            signal.signal(number, signal.SIG_DFL)


def received() -> signal.Signals | None:
    """Return the signal that was received, even if its exception was replaced by another one."""
    return _received


def end(number: signal.Signals) -> NoReturn:
    """End the process with the status of a signal, without waiting for running threads."""
    os._exit(128 + number)


def end_on_second() -> None:
    """Have the system end the process at a second signal, even while native code blocks Python's handlers.

    Only on Linux; elsewhere the second signal waits for the native code, as the first one does.
    """
    if sys.platform != "linux":
        return
    import ctypes

    class Action(ctypes.Structure):  # struct sigaction of glibc and musl
        _fields_ = (
            ("handler", ctypes.c_void_p),
            ("mask", ctypes.c_ubyte * 128),
            ("flags", ctypes.c_uint),
            ("restorer", ctypes.c_void_p),
        )

    sigaction = ctypes.CDLL(None).sigaction
    for number in _SIGNALS:
        action = Action()
        if isinstance(signal.getsignal(number), StopHandler):
            sigaction(int(number), None, ctypes.byref(action))
            action.flags |= _ONE_SHOT
            sigaction(int(number), ctypes.byref(action), None)


class SecondSignal:
    """In this context a second signal ends the process at once, although the handler of the first one raises nothing.

    A thread waits for it, so it needs Python's lock but not the main thread. A signal within half a second of the
    first one does not count: ``timeout`` sends two at once.
    """

    _SECONDS = 0.5

    def __enter__(self) -> SecondSignal:
        """Start waiting."""
        import threading

        reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        threading.Thread(target=self._wait, args=(reading,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop waiting."""
        signal.set_wakeup_fd(self._before)
        os.close(self._writing)

    def _wait(self, reading: int) -> None:
        first = None
        with open(reading, "rb", buffering=0) as numbers:
            while number := numbers.read(1):
                if number[0] not in _SIGNALS:
                    continue
                if first is not None and time.monotonic() - first > self._SECONDS:
                    os._exit(128 + number[0])
                first = first or time.monotonic()
