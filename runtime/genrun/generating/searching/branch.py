"""One text of a search, in the making or finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from genrun.generating.open_prompt import OpenPrompt

__all__ = ["Branch", "Prompt", "Written"]


class Written(NamedTuple):
    """The text of new tokens, and whether a stop text has ended it."""

    text: str
    stopped: bool


class Prompt(NamedTuple):
    """What the branches of one search begin from.

    ``ids``: the tokens to read. ``key``: the ids that random numbers depend on. ``from_nothing``: the first new token
    does not end the text. ``open_prompt``: what of the prompt the first new tokens repeat. ``write``: returns the
    text of new tokens.
    """

    ids: Sequence[int]
    key: Sequence[int]
    from_nothing: bool
    open_prompt: OpenPrompt | None
    write: Callable[[Sequence[int]], Written]


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A text by its new ``ids``; it is never changed, and longer ones are made of it.

    ``log_probability`` is the model's, ``drawn`` that of the decoder: natural logarithms. ``states`` are those of the
    chain. ``finish_reason`` is empty while the text goes on.
    """

    ids: tuple[int, ...] = ()
    log_probability: float = 0.0
    drawn: float = 0.0
    states: tuple[Any, ...] = ()
    open_prompt: OpenPrompt | None = None
    finish_reason: str = ""
