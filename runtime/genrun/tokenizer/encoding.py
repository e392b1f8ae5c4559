"""What a tokenizer makes of a text."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Encoding", "OpenEnd"]


class Encoding(NamedTuple):
    """A text as token ids, with its pieces and unknown words.

    ``ids``: the token ids, special tokens and those of labels included. ``pieces``: the normalized words (or
    characters) of the text, unknown ones too, marks with the U+2060 of the step ``mark_edges``; of subwords, the
    pieces that they are parts of. ``unknown``: the words that are not in the vocabulary, in order, as they are shown.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    unknown: tuple[str, ...]

    def after(self, ids: tuple[int, ...]) -> Encoding:
        """Return the encoding with ``ids`` before its own."""
        return self._replace(ids=ids + self.ids) if ids else self


class OpenEnd(NamedTuple):
    """A prompt in two parts: the ids ``finished``, and the ``open`` ids after them, which may become others."""

    finished: tuple[int, ...]
    open: tuple[int, ...] = ()
