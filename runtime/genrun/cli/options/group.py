"""How a group of options becomes one parameter of a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["Command", "option_group"]

Command = Callable[..., Any]


def option_group(
    name: str, make: Callable[..., object], *options: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """Return a decorator that gives a command ``options``, in this order, as one parameter ``name``.

    ``make`` makes the value of this parameter. Its own parameters have the names of the options.
    """
    own = tuple(inspect.signature(make).parameters)

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_group(*arguments: Any, **values: Any) -> Any:
            made = make(**{each: values.pop(each) for each in own})
            return command(*arguments, **{name: made}, **values)

        decorated: Command = with_group
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
