"""Arguments of the library's calls: what has the wrong type is told in one line, before anything is done with it."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any

from genrun.errors import OptionError

__all__ = ["check_count", "check_path", "check_text", "check_texts"]


def check_count(name: str, value: Any, most: int | None = None) -> int:
    """Return ``value`` as a whole number from 1 (to ``most``); raises OptionError for anything else.

    >>> check_count("n", 3)
    3
    >>> check_count("threads", 0, most=1024)
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: threads must be a whole number from 1 to 1,024, not 0
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)  # NumPy's whole numbers too
    except TypeError:
        number = 0
    if number < 1 or (most is not None and number > most):
        highest = "" if most is None else f" to {most:,}"
        raise OptionError(f"{name} must be a whole number from 1{highest}, not {value!r}")
    return number


def check_path(path: str | os.PathLike[str], *, what: str) -> Path:
    """Return ``path`` as a Path; ``what`` names the thing in the OptionError for what is no path.

    >>> check_path(None, what="a model file")
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: a model file must be given as a path, not None
    """
    try:
        return Path(path)
    except TypeError:
        raise OptionError(f"{what} must be given as a path, not {path!r}") from None


def check_text(text: Any, *, what: str) -> None:
    """Raise OptionError unless ``text`` is a ``str``.

    >>> check_text(3, what="a prompt")
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: a prompt must be text, not 3
    """
    if not isinstance(text, str):
        raise OptionError(f"{what} must be text, not {text!r}")


def check_texts(name: str, texts: Any) -> None:
    """Raise OptionError unless ``texts`` can be iterated over and is not itself one text.

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
        raise OptionError(f"{name} must be a list of texts, not {texts!r}") from None
