"""Being asked to stop, by Ctrl-C or a polite kill: noted, so that the step that is going on can be finished."""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from genrun.cli.io.signals import SecondSignal, StopHandler

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within it the first Ctrl-C or SIGTERM is only noted; a second one acts as it always does.

    In the ``genrun`` command a second one ends the process at once. One that the process was told to ignore, as a
    shell tells those it puts into the background, stays ignored. Outside the main thread, where Python has no
    signals, it notes nothing.

    >>> with Interruption() as interrupted:
    ...     signal.raise_signal(signal.SIGINT)
    ...     interrupted()
    True
    """

    def __init__(self) -> None:
        self.number = signal.SIGINT  # the one that was noted
        self._noted = False
        self._before: dict[signal.Signals, Any] = {}
        self._second = contextlib.ExitStack()

    def __call__(self) -> bool:
        """Return whether someone asked to stop."""
        return self._noted

    def __enter__(self) -> Interruption:
        """Begin to note."""
        if threading.current_thread() is threading.main_thread():
            obeyed = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
            self._before = {number: signal.signal(number, self._note) for number in obeyed}
            if self._in_command():
                self._second.enter_context(SecondSignal())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        self._second.close()
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted, self.number = True, signal.Signals(number)
        if not self._in_command():
            self._restore()

    def _in_command(self) -> bool:
        return any(isinstance(handler, StopHandler) for handler in self._before.values())

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
