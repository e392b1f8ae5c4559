"""Imports plugins and describes them, in a process that a plugin may end at any moment.

It writes JSON to a pipe: before each plugin its number, and afterwards what it found.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from genrun import registry
from genrun.checks.short_text import short_line
from genrun.contracts import options
from genrun.errors import GenrunError, cause, one_line

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["BUSY", "fault", "look", "look_at_all", "module_file", "without_answer"]

BUSY = 6  # time limits that may pass for a process that computes, but gets little CPU time on a busy machine

_MOST_BYTES = 4 * 2**30  # of memory
_MOST_CHARACTERS = 4096  # of a path
_GRACE_SECONDS = 5.0  # beyond the time limit, which the watching process enforces


def look(info: registry.PluginInfo) -> dict[str, Any]:
    """Import one plugin and return its ``file``, ``options`` and ``contract``; ``reason`` and ``raised_at`` are None.

    ``contract``: that which its class names, None if it names none. Raises PluginError for a broken plugin.

    >>> look(registry.find("decoder", "greedy"))["options"]
    {}
    """
    loaded = registry.load(info)
    described = options.describe(loaded) if info.kind != "command" else {}
    found = {"file": _source_file(loaded), "options": described, "contract": getattr(loaded, "contract", None)}
    return {"reason": None, "raised_at": None, **found}


def fault(info: registry.PluginInfo, error: BaseException) -> dict[str, Any]:
    """Return the same fields for a plugin that raised ``error`` in :func:`look`."""
    reason = one_line(error)
    if not isinstance(error, GenrunError):  # for example MemoryError, or the plugin's own KeyboardInterrupt
        reason = f"{info.title} failed to import: {cause(error)}"
    found = {"raised_at": _raised_at(info, error), "contract": getattr(error, "contract", None)}
    return {**without_answer(reason, module_file(info)), **found}


def without_answer(reason: str, file: str | None = None) -> dict[str, Any]:
    """Return the same fields for a plugin that could not be looked at."""
    return {"reason": reason, "file": file, "raised_at": None, "options": {}, "contract": None}


def look_at_all(
    plugins: Sequence[tuple[int, Mapping[str, str]]], answers: Connection, seconds: float, close: int | None
) -> None:
    """Look at ``plugins`` (pairs of a number and the fields of a PluginInfo) in order, and end the process.

    ``seconds``: the time limit for each plugin. ``close``: a file descriptor that this process must close.
    """
    process, end, renewal = os.getpid(), os._exit, 0.0
    if close is not None:
        os.close(close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=answers.close)  # else its end would not close the pipe
    for number, fields in plugins:
        info = _offered(fields)
        _set_limits(_MOST_BYTES, 0)
        if time.monotonic() >= renewal:  # not for each plugin, since it starts a thread
            renewal = time.monotonic() + _GRACE_SECONDS / 2
            # Ends this process if the watching process is gone.
            faulthandler.dump_traceback_later(BUSY * seconds + _GRACE_SECONDS, exit=True, file=2)
        _send(answers, {"number": number, "file": module_file(info)})
        try:
            answer = look(info)
        except BaseException as error:
            _set_limits(sys.maxsize, sys.maxsize)  # otherwise fault() might fail too, if memory has run out
            answer = fault(info, error)
        if os.getpid() != process:  # the plugin forked
            end(0)
        _send(answers, {"number": number, "answer": answer})
    end(0)  # without waiting for threads that a plugin started


def module_file(info: registry.PluginInfo) -> str | None:
    """Return the file of the package that ``info`` names, without importing it; None if it is not found."""
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec(info.entry_point.module.partition(".")[0])
        if spec is not None and spec.origin is not None:
            return short_line(spec.origin, _MOST_CHARACTERS)
    return None


def _offered(fields: Mapping[str, str]) -> registry.PluginInfo:
    entry = metadata.EntryPoint(fields["entry_name"], fields["entry_value"], registry.GROUPS[fields["kind"]])
    return registry.PluginInfo(
        fields["kind"], fields["name"], fields["distribution"], fields["version"], fields["value"], entry
    )


def _send(answers: Connection, message: Mapping[str, Any]) -> None:
    answers.send_bytes(json.dumps(message).encode())


def _source_file(loaded: object) -> str | None:
    with contextlib.suppress(Exception):
        file = inspect.getsourcefile(inspect.unwrap(getattr(loaded, "callback", loaded)))  # type: ignore[arg-type]
        return None if file is None else short_line(file, _MOST_CHARACTERS)
    return None


def _raised_at(info: registry.PluginInfo, error: BaseException) -> str | None:
    """Return ``FILE:LINE`` of the innermost line of the plugin's own package that ``error`` passed through."""
    with contextlib.suppress(Exception):
        raised = error.__cause__ or error
        if isinstance(raised, SyntaxError) and raised.filename:
            return short_line(f"{raised.filename}:{raised.lineno}", _MOST_CHARACTERS)
        package = info.entry_point.module.partition(".")[0]
        places = [
            f"{frame.f_code.co_filename}:{line}"
            for frame, line in traceback.walk_tb(raised.__traceback__)
            if str(frame.f_globals.get("__name__")).partition(".")[0] == package
        ]
        return short_line(places[-1], _MOST_CHARACTERS) if places else None
    return None


def _set_limits(memory: int, core: int) -> None:
    """Limit the memory of this process and the size of its core dumps, in bytes, if the system can."""
    if sys.platform == "win32":
        return
    import resource

    for name, wanted in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, core)):
        _, most = resource.getrlimit(name)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(name, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
