"""Being asked to stop, from the first import to the end: Ctrl-C is the exit status 130, SIGTERM 143.

Only the standard library is imported here, so that the handlers are there before anything that takes its time.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False  # what typing says, without its import
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import NoReturn

__all__ = ["SecondSignal", "StopHandler", "Stopped", "end", "end_on_second", "forget", "handle", "received"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_SHOT = 0x80000000  # SA_RESETHAND of Linux
_received: signal.Signals | None = None


class Stopped(KeyboardInterrupt):
    """Somebody asked the process to stop, by the signal ``number``."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


class StopHandler:
    """The handler of both signals: the first one raises Stopped, the second one ends the process at once."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the signal, leave the next one to the system, and raise Stopped."""
        global _received
        _received = signal.Signals(number)
        forget()
        raise Stopped(_received)


def handle() -> None:
    """Answer both signals, except one that the process was told to ignore, as a shell tells its background jobs."""
    for number in _SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, StopHandler())


def forget() -> None:
    """Leave the signals to the system, which ends the process: for a shell with the same status."""
    for number in _SIGNALS:
        if isinstance(signal.getsignal(number), StopHandler):
            signal.signal(number, signal.SIG_DFL)


def received() -> signal.Signals | None:
    """Return the signal that was received, whatever has become of its exception since."""
    return _received


def end(number: signal.Signals) -> NoReturn:
    """End the process with the status of a signal, without waiting for threads that are still at work."""
    os._exit(128 + number)


def end_on_second() -> None:
    """Have the system end the process at a second signal, also while native code lets no handler of Python run.

    On Linux; elsewhere the second signal waits for the native code, as the first one does.
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
    """Within it, a second signal ends the process at once, although the handler of the first one raises nothing.

    A thread waits for it, so it needs Python's lock but not the main thread. What comes within half a second of the
    first signal is no second one: ``timeout`` sends two at once.
    """

    _SECONDS = 0.5

    def __enter__(self) -> SecondSignal:
        """Begin to wait."""
        import threading

        reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        threading.Thread(target=self._wait, args=(reading,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait no longer."""
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
