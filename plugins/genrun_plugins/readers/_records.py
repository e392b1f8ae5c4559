"""How the parts of a file make documents: each line or block by itself, paragraphs, or the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from genrun.errors import OptionError

__all__ = ["BLOCKS", "DOCUMENTS", "check_documents", "joined", "records", "units"]

DOCUMENTS = ("lines", "paragraphs", "files")
BLOCKS = ("blocks", "files")  # of marked-up text: a block is a paragraph, heading or list item
_HYPHENS = ("-", "‐", "–", "—")


def check_documents(documents: str, accepted: Sequence[str] = DOCUMENTS) -> None:
    """Raise OptionError unless ``documents`` is one of those that are accepted.

    >>> check_documents("verses")
    Traceback (most recent call last):
    genrun.errors.OptionError: documents must be lines, paragraphs or files, not 'verses'
    """
    if documents not in accepted:
        raise OptionError(f"documents must be {', '.join(accepted[:-1])} or {accepted[-1]}, not {documents!r}")


def records(lines: Iterable[str], documents: str) -> Iterator[list[str]]:
    """Yield the lines of each record of a file: one of DOCUMENTS, without the blank lines around it.

    A blank line of ``lines``, and a file without any text, is a record without lines. Between ``paragraphs``, blank
    lines are no records.

    >>> poem = ["", "the sea", "the sky", "", "the land", ""]
    >>> list(records(poem, "paragraphs"))
    [['the sea', 'the sky'], ['the land']]
    >>> list(records(poem, "files"))
    [['the sea', 'the sky', '', 'the land']]
    """
    if documents == "lines":
        yield from ([line] if line.strip() else [] for line in lines)
        return
    record: list[str] = []
    blank = 0  # lines after the record, which belong to it if more text follows
    for line in lines:
        if not line.strip():
            blank += 1
            continue
        if record and blank and documents == "paragraphs":
            yield record
            record = []
        record += [*([""] * blank if record else ()), line]
        blank = 0
    if record or documents == "files":
        yield record


def joined(record: Iterable[str]) -> list[str]:
    """Return the lines of a record with those of a paragraph joined to one; blank lines stay.

    A space comes between two lines, unless the first ends in a hyphen or dash.

    >>> joined(["It was a well-", "known  ", "  ferry.", "", "It sank."])
    ['It was a well-known ferry.', '', 'It sank.']
    """
    whole: list[str] = []
    for line in map(str.strip, record):
        if line and whole and whole[-1]:
            whole[-1] += line if whole[-1].endswith(_HYPHENS) else f" {line}"
        else:
            whole.append(line)
    return whole


def units(blocks: Iterable[str], documents: str) -> Iterator[str]:
    r"""Yield each of the blocks of a file, or all of them as one text with blank lines between.

    >>> list(units(["Tides", "The sea."], "files"))
    ['Tides\n\nThe sea.']
    """
    if documents == "files":
        yield "\n\n".join(blocks)
    else:
        yield from blocks
