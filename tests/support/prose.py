"""Prose that a test can foretell: sentences of a few words, in paragraphs, broken into lines as in a book."""

from __future__ import annotations

import random
import textwrap

__all__ = ["paragraphs", "wrapped"]

_WHO = ("the ferryman", "a gull", "her brother", "the old captain", "nobody", "the harbour master")
_WHAT = ("watched", "followed", "painted", "forgot", "carried", "left")
_WHERE = ("the bridge", "a boat", "the sleeping town", "every lantern", "the tide", "the narrow street")


def paragraphs(count: int, seed: int = 0) -> list[str]:
    """Return paragraphs of three to seven sentences, each paragraph one line."""
    draw = random.Random(seed)
    return [" ".join(_sentence(draw) for _ in range(draw.randint(3, 7))) for _ in range(count)]


def wrapped(texts: list[str], width: int = 70) -> str:
    """Return paragraphs with their lines broken, and blank lines between them."""
    return "\n\n".join(textwrap.fill(text, width, break_on_hyphens=False) for text in texts) + "\n"


def _sentence(draw: random.Random) -> str:
    first, second = (f"{draw.choice(_WHO)} {draw.choice(_WHAT)} {draw.choice(_WHERE)}" for _ in range(2))
    return f"{first[0].upper()}{first[1:]}, and {second}."
