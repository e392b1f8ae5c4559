"""What a tokenizer makes of a text."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Encoding"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as token ids, with its pieces and unknown words.

    ``ids``: the token ids, special tokens included. ``pieces``: the normalized words (or characters) of the text,
    unknown ones too, marks with the U+2060 of the step ``mark_edges``; of subwords, the pieces that they are parts
    of. ``unknown``: the words that are not in the vocabulary, in order, as they are shown.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    unknown: tuple[str, ...]
