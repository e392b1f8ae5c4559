"""What a document is in marked-up text: a block (a paragraph, heading or list item), or the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genrun.errors import OptionError

__all__ = ["check_units", "units"]

_UNITS = ("blocks", "files")


def check_units(documents: str) -> None:
    """Raise OptionError unless ``documents`` is blocks or files."""
    if documents not in _UNITS:
        raise OptionError(f"documents must be blocks or files, not {documents!r}")


def units(blocks: Iterable[str], documents: str) -> Iterator[str]:
    r"""Yield each of the blocks of a file, or all of them as one text with blank lines between.

    >>> list(units(["Tides", "The sea."], "files"))
    ['Tides\n\nThe sea.']
    """
    if documents == "files":
        yield "\n\n".join(blocks)
    else:
        yield from blocks
