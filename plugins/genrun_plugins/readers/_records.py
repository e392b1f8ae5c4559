"""How the lines of a file make documents: each line by itself, paragraphs, or the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genrun.errors import OptionError

__all__ = ["DOCUMENTS", "check_documents", "joined", "records"]

DOCUMENTS = ("lines", "paragraphs", "files")
_HYPHENS = ("-", "‐", "–", "—")


def check_documents(documents: str) -> None:
    """Raise OptionError unless ``documents`` is one of DOCUMENTS.

    >>> check_documents("verses")
    Traceback (most recent call last):
    genrun.errors.OptionError: documents must be lines, paragraphs or files, not 'verses'
    """
    if documents not in DOCUMENTS:
        raise OptionError(f"documents must be lines, paragraphs or files, not {documents!r}")


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
