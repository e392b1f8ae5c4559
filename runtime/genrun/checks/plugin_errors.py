"""Turns any exception of a plugin into a PluginError of one line; an interruption stays an interruption."""

from __future__ import annotations

import signal
import traceback
from types import CodeType
from typing import NoReturn

from genrun.errors import GenrunError, PluginError, cause, one_line

__all__ = ["blame"]


def blame(what: str, error: BaseException, *, passing: tuple[type[GenrunError], ...] = (GenrunError,)) -> NoReturn:
    """Raise a PluginError that begins with ``what`` for ``error``, which a plugin raised.

    Raised unchanged are Ctrl-C, exceptions from signal handlers, and errors of the classes ``passing`` whose message
    is one short line.
    """
    if type(error) is KeyboardInterrupt or _from_a_signal(error):
        raise error
    if isinstance(error, passing) and _is_one_line(error):
        raise error
    raise PluginError(f"{what}: {cause(error)}") from error


def _is_one_line(error: BaseException) -> bool:
    try:
        return one_line(error) == str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # __str__ of the plugin's own class may raise anything
        return False


def _from_a_signal(error: BaseException) -> bool:
    """Return whether a signal handler raised ``error``: for SIGTERM, a timer, ….

    Such an exception can surface in any line of a plugin, which did not cause it.
    """
    handlers = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()}
    return any(frame.f_code in handlers for frame, _ in traceback.walk_tb(error.__traceback__))


def _code_of(handler: object) -> CodeType | None:
    function = handler if hasattr(handler, "__code__") else vars(type(handler)).get("__call__")
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None
