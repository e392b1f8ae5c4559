"""What a text file looks like: one text a line, or prose whose lines were broken to fit a page.

A book that is read line by line is thousands of halves of sentences. So a recipe that adapts to its corpus reads such
a file by paragraphs, as one running text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from genrun.contracts import Reader
from genrun.errors import CorpusError
from genrun.reading import CorpusFile
from genrun.reading.sources import STANDARD_INPUT
from genrun_core.corpus.reading import make_reader
from genrun_core.recipes.recipe import BY_SHAPE, Recipe

__all__ = ["Shape", "fit_shape", "shape_of"]

_LOOKED_AT = 20_000  # lines
_LONGEST = 1_000  # characters of a line that are looked at
_FEWEST = 40  # lines with text
_WIDTH = range(50, 91)  # characters of a line that was broken to fit a page
_MOST = 0.5
_WITHIN = 0.3  # dialogue has many paragraphs of one line
_PARAGRAPH = 50  # lines, on average, at most
_SENTENCE_ENDS = tuple(".!?…")
_CLOSING = "\"'”’»)]"
_DOCUMENTS, _RUNNING = BY_SHAPE


@dataclass(frozen=True, slots=True)
class Shape:
    """Whether the lines of a text are wrapped prose, and why, or why not."""

    wrapped: bool
    reason: str


def shape_of(lines: Iterable[str]) -> Shape:
    """Return the shape of a text. It is wrapped prose if all of this holds.

    It has 40 lines or more, and blank lines between paragraphs of 50 lines at most on average. At least 30 % of its
    lines stand before another line of their paragraph. Of these, more than half have 50 to 90 characters, and more
    than half go on: they end in no full stop, question or exclamation mark, and the next line begins in lower case.

    >>> shape_of(["The sea and the sky are wide, and the gulls above the land are", "never still.", ""] * 30).wrapped
    True
    >>> shape_of(["A headline in a line of its own"] * 30).reason
    'it has fewer than 40 lines'
    """
    stripped = [line.strip() for line in lines]
    filled = sum(map(bool, stripped))
    if filled < _FEWEST:
        return Shape(False, f"it has fewer than {_FEWEST} lines")
    paragraphs = sum(bool(line) and not before for before, line in pairwise(["", *stripped]))
    if filled > _PARAGRAPH * paragraphs:
        return Shape(False, "it has no paragraphs with blank lines between")
    within = [(line, after) for line, after in pairwise(stripped) if line and after]
    if len(within) < _WITHIN * filled:
        return Shape(False, "most of its paragraphs have one line")
    full = sum(len(line) in _WIDTH for line, _ in within) / len(within)
    if full <= _MOST:
        return Shape(False, f"{full:.0%} of its lines have {_WIDTH[0]} to {_WIDTH[-1]} characters")
    going_on = sum(_goes_on(line, after) for line, after in within) / len(within)
    how = f"{going_on:.0%} of its lines go on in the next one, in lower case"
    return Shape(going_on > _MOST, how)


def fit_shape(
    recipe: Recipe, reader: Reader, sources: Sequence[str], say: Callable[[str], object], *, alone: bool = True
) -> tuple[Recipe, Reader]:
    """Return ``recipe`` and ``reader`` for the shape of the corpus, if that is left open.

    One file of wrapped prose becomes a running text of paragraphs, each on one line; ``say`` receives a line about
    it. ``alone``: no other worker trains with this one, since running text carries its state on one device.
    """
    opened = set(recipe.adapt) & set(BY_SHAPE)
    recipe = dataclasses.replace(recipe, adapt=tuple(name for name in recipe.adapt if name not in BY_SHAPE))
    if _DOCUMENTS not in opened or recipe.reader.name not in ("text", "genrun:text"):
        return recipe, reader
    shape = shape_of(_first_lines(sources, reader))
    if not shape.wrapped:
        return recipe, reader
    chosen = {**recipe.reader.options, "documents": "paragraphs", "join_lines": True}
    recipe = dataclasses.replace(recipe, reader=dataclasses.replace(recipe.reader, options=chosen))
    carries = recipe.model.plugin.carries and recipe.training.devices == "one" and alone
    if _RUNNING in opened and carries:
        recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, running_text=True))
    what = "one running text of paragraphs" if recipe.training.running_text else "paragraphs"
    say(
        f"the lines of {sources[0]} are wrapped prose ({shape.reason}): it is read as {what}; "
        "--set documents=lines makes each line a document"
    )
    return recipe, make_reader(recipe.reader)


def _goes_on(line: str, after: str) -> bool:
    """Return whether a sentence goes on from ``line`` to the line ``after`` it."""
    return not line.rstrip(_CLOSING).endswith(_SENTENCE_ENDS) and after[0].islower()


def _first_lines(sources: Sequence[str], reader: Reader) -> Iterator[str]:
    """Yield the first lines of the source, if it is a single file that can be read; nothing otherwise."""
    path = os.path.expanduser(sources[0])
    if len(sources) > 1 or sources[0] == STANDARD_INPUT or not os.path.isfile(path):
        return
    encoding, keep_frame = getattr(reader, "encoding", "utf-8"), getattr(reader, "keep_frame", False)
    file = CorpusFile(path, encoding=encoding, skip_bad=True, keep_frame=keep_frame)
    with contextlib.suppress(CorpusError):  # reading the corpus tells what is wrong
        for line in islice(file.prose(), _LOOKED_AT):
            yield line[:_LONGEST]
