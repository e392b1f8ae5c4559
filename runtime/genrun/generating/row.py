"""One text in the making, as the decoding loop sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from genrun.generating.open_prompt import OpenPrompt
from genrun.generating.text_stream import TextStream

__all__ = ["Row"]


@dataclass(slots=True, eq=False)
class Row:
    """One text in the making.

    ``draws`` yields one uniform number per new token. ``text_stream`` is given every new token and stops the row at a
    stop text. ``open_prompt``: what of the prompt its first new tokens repeat. ``fed`` counts the tokens of the
    prompt that the model has seen. ``from_nothing``: the prompt has no word, so a text must not end before its first
    token. ``finish_reason``: ``end`` (an end token), ``stop`` (a stop text), ``length``;
    ``cancelled`` if nobody waits for it any more.
    ``admitted`` to its batch, and ``finished``: seconds of a clock that never goes back.
    """

    prompt_ids: Sequence[int]
    draws: Iterator[float]
    max_new_tokens: int
    text_stream: TextStream | None = None
    open_prompt: OpenPrompt | None = None
    from_nothing: bool = False
    fed: int = 0
    new_ids: list[int] = field(default_factory=list)
    new_text: str = ""
    log_probability: float = 0.0
    finish_reason: str = ""
    admitted: float = 0.0
    finished: float = 0.0
