"""Checks of the values of a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from genrun.errors import OptionError, nearest

__all__ = ["check", "check_choice"]


def check(name: str, fits: bool, accepted: str, value: object) -> None:
    """Raise OptionError unless the value of the option ``name`` fits."""
    if not fits:
        raise OptionError(f"{name} must be {accepted}, not {value!r}")


def check_choice(name: str, value: str, accepted: Sequence[str]) -> None:
    """Raise OptionError unless ``value`` is one of those that are accepted."""
    if value not in accepted:
        raise OptionError(f"unknown {name} {value!r}; {nearest(value, accepted)}")
