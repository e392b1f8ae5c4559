"""A text as token ids."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Encoding"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as token ids, with its pieces and unknown words.

    ``ids``: the token ids, special tokens included. ``pieces``: the normalized words (or characters) of the text,
    unknown ones too; of subwords, the pieces that they are parts of. ``unknown``: the words that are not in the
    vocabulary, in order.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    unknown: tuple[str, ...]
