"""Checks of options that several plugins have."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genrun.errors import OptionError

__all__ = ["check_number", "check_phrases", "check_probability", "check_whole"]


def check_number(name: str, value: float, *, least: float = -math.inf, above: float = -math.inf) -> None:
    """Raise OptionError unless ``value`` is finite, at least ``least`` and above ``above``."""
    if not (math.isfinite(value) and value >= least and value > above):
        limit = f" above {above:g}" if above > -math.inf else f" from {least:g}" if least > -math.inf else ""
        raise OptionError(f"{name} must be a number{limit}, not {value!r}")


def check_probability(name: str, value: float, *, zero: bool = False) -> None:
    """Raise OptionError unless ``value`` is at most 1 and above 0, or 0 if ``zero``."""
    if not (0 <= value <= 1 and (zero or value > 0)):
        raise OptionError(f"{name} must be {'from 0 to 1' if zero else 'above 0 and at most 1'}, not {value!r}")


def check_whole(name: str, value: int, least: int) -> None:
    """Raise OptionError unless ``value`` is at least ``least``."""
    if value < least:
        raise OptionError(f"{name} must be {least} or more, not {value!r}")


def check_phrases(phrases: Sequence[str]) -> None:
    """Raise OptionError unless there are ``phrases``, each with a word."""
    if not phrases or not all(phrase.strip() for phrase in phrases):
        raise OptionError("phrases must be one or more words or phrases")
