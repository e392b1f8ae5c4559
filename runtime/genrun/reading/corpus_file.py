"""One file of a corpus as a reader sees it: its text in lines or pieces, and what is counted of it."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator

from genrun.contracts import ReadReport
from genrun.errors import CorpusError
from genrun.reading.decoding import Decoder, lines_of
from genrun.reading.gutenberg import FRAME, Frame
from genrun.reading.kinds import HEAD_BYTES, Kind, binary_kind, kind_of
from genrun.reading.opening import naming_errors, opened
from genrun.reading.sources import STANDARD_INPUT, shown_source

__all__ = ["CorpusFile"]

_PIECE_BYTES = 1 << 16


class CorpusFile:
    """A file, a member of a zip archive, or standard input; decompressed, decoded and counted.

    ``name``: what messages call it. ``report``: the counts of the reading, to which :meth:`drop` and :meth:`bad`
    add. ``skip_bad``: whether what cannot be read is counted rather than raised.
    """

    def __init__(
        self,
        path: str,
        member: str = "",
        *,
        encoding: str = "utf-8",
        skip_bad: bool = False,
        keep_frame: bool = False,
        report: ReadReport | None = None,
    ) -> None:
        self.name = f"{path}/{member}" if member else shown_source(path)
        self.skip_bad = skip_bad
        self.report = report or ReadReport()
        self._path, self._member, self._encoding, self._keep_frame = path, member, encoding, keep_frame
        self._head = b""

    @property
    def can_repeat(self) -> bool:
        """Whether the file can be read more than once; standard input cannot."""
        return self._path != STANDARD_INPUT

    @contextlib.contextmanager
    def open(self) -> Iterator[io.BufferedIOBase]:
        """Open the file for bytes, decompressed. Raises CorpusError if it cannot be opened."""
        with naming_errors(self.name), opened(self._path, self._member) as file:
            yield file

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces of bounded size, with line ends unchanged.

        UTF-8 may begin with a byte order mark. Raises CorpusError, with the line, if the file cannot be opened, read
        or decoded, or is no text. With ``skip_bad``, U+FDD0 stands for bytes that cannot be decoded, and a document
        that has it is dropped.
        """
        decoder = Decoder(self.name, self._encoding, marks=self.skip_bad)
        with self.open() as file:
            data = self._head = file.read1(_PIECE_BYTES)  # unlike read, keeps what stands before damage
            if kind := binary_kind(data):
                raise CorpusError(f"{self.name}: {_wrong(kind)}")
            if text := decoder.decode(data):
                yield text
            while data:
                data = file.read1(_PIECE_BYTES)
                if text := decoder.decode(data):
                    yield text

    def lines(self) -> Iterator[str]:
        r"""Yield the lines without their ends; only ``\n``, ``\r\n`` and ``\r`` end a line."""
        return lines_of(self.pieces())

    def beginning(self) -> str:
        """Return the beginning of the text, at most 64 KiB of it; empty before :meth:`pieces` has read it."""
        encoding = "utf-8-sig" if self._encoding.lower() in ("utf-8", "utf8") else self._encoding
        return self._head.decode(encoding, "replace")

    def prose(self) -> Iterator[str]:
        """Yield the lines without the frame of Project Gutenberg, whose lines are counted and noted."""
        if self._keep_frame:
            yield from self.lines()
            return
        frame = Frame()
        yield from frame.without(self.lines())
        if frame.lines:
            self.drop(FRAME, frame.lines)
            what = "header and licence of Project Gutenberg are left out"
            self.report.note(f"{self.name}: {what} ({frame.lines:,} lines; --set keep_frame=true keeps them)")

    def drop(self, reason: str, count: int = 1) -> None:
        """Count ``count`` records that are left out because of ``reason`` (a word or two, lower case)."""
        self.report.row(count)
        self.report.drop(reason, count)

    def bad(self, problem: str, *, line: int | None = None) -> None:
        """Raise a CorpusError about a record that cannot be read; with ``skip_bad``, count it as "unreadable"."""
        error = self.error(problem, line=line)
        if not self.skip_bad:
            raise CorpusError(f"{error} (--set skip_bad=true leaves it out, and counts it)")
        self.drop("unreadable")
        self.report.note(f"{error}; skipped")

    def error(self, problem: str, *, line: int | None = None) -> CorpusError:
        """Return a CorpusError that names the file, and the line if that is known."""
        return CorpusError(f"{self.name}:{line}: {problem}" if line else f"{self.name}: {problem}")

    def kind(self) -> Kind | None:
        """Return the kind of the file by its name and first bytes; None if it cannot be read."""
        if not self._head and self.can_repeat:
            try:
                with self.open() as file:
                    self._head = file.read(HEAD_BYTES)
            except CorpusError:
                return None
        return kind_of(os.path.basename(self._member or self._path), self._head)


def _wrong(kind: Kind) -> str:
    if kind.reader:
        return f"{kind.title}, not text: --reader {kind.reader}"
    return (
        f"{kind.title}: {kind.remedy}" if kind.title.startswith("a") else f"the file is {kind.title}; {kind.remedy}"
    )
