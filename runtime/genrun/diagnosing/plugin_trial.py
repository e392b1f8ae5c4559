"""Tries plugins in other processes, where they may crash, hang or print."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from genrun.diagnosing.child_process import child_command, child_environment
from genrun.diagnosing.plugin_look import without_answer
from genrun.errors import one_line
from genrun.loading.startup_failures import last_line
from genrun.registry import PluginInfo

__all__ = ["LIMIT_SECONDS", "try_plugins"]

LIMIT_SECONDS = 10.0  # for one plugin
_START_SECONDS = 60.0
_MOST_LIMITS = 40  # time limits that may pass for one distribution, before the watching process is killed itself


def try_plugins(plugins: Sequence[PluginInfo], *, seconds: float | None = None) -> list[dict[str, Any]]:
    """Import ``plugins``, each in at most ``seconds`` (default LIMIT_SECONDS); return a result for each, in order.

    ``reason``: what is wrong, in one line, or None. ``file``: the file that defines it. ``raised_at``: the line of
    the plugin that raised an error, ``FILE:LINE``. ``options``: names and defaults. ``contract``: the one that
    its class names, or None. Failures raise nothing.
    """
    if not plugins:
        return []
    seconds = LIMIT_SECONDS if seconds is None else seconds
    distributions: defaultdict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for number, info in enumerate(plugins):
        distributions[info.distribution].append((number, _fields(info)))
    asked = json.dumps({"seconds": seconds, "distributions": list(distributions.values())})
    found, why_not = _ask(asked.encode(), _START_SECONDS + _MOST_LIMITS * seconds * len(distributions))
    why_not = f"could not be tried: {why_not or 'it was left out'}"
    return [found.get(str(i)) or without_answer(f"{info.title} {why_not}") for i, info in enumerate(plugins)]


def _fields(info: PluginInfo) -> dict[str, str]:
    names = ("kind", "name", "distribution", "version", "value", "title")
    entry = {"entry_name": info.entry_point.name, "entry_value": info.entry_point.value}
    return {**{name: getattr(info, name) for name in names}, **entry}


def _ask(asked: bytes, seconds: float) -> tuple[dict[str, dict[str, Any]], str]:
    """Return the results of the watching process; if there are none, the reason."""
    # OpenBLAS would start a thread for each core in each process.
    environment = {"OPENBLAS_NUM_THREADS": "1", **child_environment()}
    try:
        process = subprocess.Popen(
            child_command("genrun.diagnosing.plugin_watch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        return {}, f"Python could not be started: {one_line(error)}"
    try:
        answer, printed = process.communicate(asked, seconds)
        return json.loads(answer), ""
    except subprocess.TimeoutExpired:
        return {}, f"the process that tries plugins did not answer within {seconds:g} seconds"
    except ValueError:
        said = last_line(printed.decode("utf-8", "replace"))
        return {}, f"the process that tries plugins ended without an answer: {said or process.returncode}"
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started, if it is still running, for example after Ctrl-C."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
