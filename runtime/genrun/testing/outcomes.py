"""One check of a plugin, what came of it, and the error of a test whose plugin breaks a promise."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Generic, Literal, TypeVar

from genrun.checks.short_text import short_line
from genrun.errors import cause

__all__ = ["BrokenContract", "Check", "Failed", "Outcome", "Skipped", "demand", "outcomes"]

T = TypeVar("T")


class BrokenContract(AssertionError):
    """A plugin does not keep its contract; the message has one line for each check that failed."""


class Failed(Exception):
    """A check did not hold; the message says what the plugin does wrong."""


class Skipped(Exception):
    """A check could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.

    ``check``: what is promised, a few words. ``state``: ``ok``, ``failed`` or ``skipped``. ``detail``: what the
    plugin does wrong, or why the check was not made, in one line.
    """

    check: str
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}" if self.detail else self.check


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """A promise and the function that looks whether a plugin keeps it, by raising Failed or Skipped.

    ``first``: if this check does not pass, the later ones are left out, since they would fail for the same reason.
    """

    promise: str
    look: Callable[[T], None]
    first: bool = False


def outcomes(checks: Sequence[Check[T]], subject: T) -> list[Outcome]:
    """Return the outcome of each check of ``subject``, in order; a check fails if the plugin prints."""
    found = []
    for check in checks:
        found.append(_outcome(check, subject))
        if check.first and found[-1].state != "ok":
            break
    return found


def _outcome(check: Check[T], subject: T) -> Outcome:
    printed = StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            check.look(subject)
    except Skipped as reason:
        return Outcome(check.promise, "skipped", str(reason))
    except Failed as failure:
        return Outcome(check.promise, "failed", str(failure))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything
        return Outcome(check.promise, "failed", f"it raised {cause(error)}{_place(error)}")
    if text := printed.getvalue().strip():
        return Outcome(check.promise, "failed", f"it prints {short_line(text)!r}, which would be among the texts")
    return Outcome(check.promise, "ok")


def demand(what: str, found: Sequence[Outcome]) -> None:
    """Raise BrokenContract, which names ``what``, if a check failed."""
    if failed := [outcome for outcome in found if outcome.state == "failed"]:
        raise BrokenContract("\n".join(f"{what} breaks its contract: {outcome}" for outcome in failed))


def _place(error: BaseException) -> str:
    """Return where a plugin raised ``error``: its innermost line outside genrun and the libraries; "" if none is."""
    raised = error.__cause__ or error
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(raised.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in ("genrun", "numpy", "concurrent")
    ]
    if not frames:
        return ""
    frame, line = frames[-1]
    return f" ({frame.f_code.co_filename}:{line})"
