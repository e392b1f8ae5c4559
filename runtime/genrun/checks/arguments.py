"""Checks arguments of the library's calls: an error of one line for a wrong type or value, before any work."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any

from genrun.checks.short_text import shown
from genrun.errors import OptionError, PromptError

__all__ = ["check_count", "check_path", "check_prompt", "check_text", "check_texts", "whole_number"]


_MOST = 10**9  # of anything that is counted


def check_count(name: str, value: Any, most: int = _MOST, *, least: int = 1) -> int:
    """Return ``value`` as an int from ``least`` to ``most``; raises OptionError for anything else.

    >>> check_count("n", 3)
    3
    >>> check_count("threads", 0, most=1024)
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: threads must be a whole number from 1 to 1,024, not 0
    """
    number = whole_number(value)
    if number is None or not least <= number <= most:
        raise OptionError(f"{name} must be a whole number from {least} to {most:,}, not {shown(value)}")
    return number


def whole_number(value: Any) -> int | None:
    """Return ``value`` as an int if it is a whole number, also NumPy's; None for anything else, also for a bool."""
    # An older NumPy takes its own booleans for an index.
    if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool":
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def check_path(path: str | os.PathLike[str], *, what: str) -> Path:
    """Return ``path`` as a Path; raises OptionError, which begins with ``what``, if it is not a path.

    >>> check_path(None, what="a model file")
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: a model file must be given as a path, not None
    """
    try:
        return Path(path)
    except TypeError:
        raise OptionError(f"{what} must be given as a path, not {shown(path)}") from None


def check_text(text: Any, *, what: str) -> None:
    """Raise OptionError unless ``text`` is a ``str``.

    >>> check_text(3, what="the input to score")
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: the input to score must be text, not 3
    """
    if not isinstance(text, str):
        raise OptionError(f"{what} must be text, not {shown(text)}")


def check_prompt(prompt: Any, *, what: str = "a prompt") -> None:
    """Raise PromptError unless ``prompt`` is a ``str``."""
    if not isinstance(prompt, str):
        raise PromptError(f"{what} must be text, not {shown(prompt)}")


def check_texts(name: str, texts: Any) -> None:
    """Raise OptionError unless ``texts`` is an iterable other than a ``str``.

    >>> check_texts("prompts", "one")
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: prompts must be a list of texts, not one text
    """
    if isinstance(texts, str):
        raise OptionError(f"{name} must be a list of texts, not one text")
    try:
        iter(texts)
    except TypeError:
        raise OptionError(f"{name} must be a list of texts, not {shown(texts)}") from None
