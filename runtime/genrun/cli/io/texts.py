"""The texts that a command works on: its arguments, and the lines of a file or of standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from genrun.cli.io.line_reader import LineError, LineReader
from genrun.errors import PromptError

__all__ = ["Texts"]


class Texts:
    """An iterator over ``arguments``, of which "-" is the lines of standard input, and then over those of a ``file``.

    Lines are read as they are asked for; before waiting for one, ``before_waiting`` is called, and ``when_asked``
    whenever somebody asks whether it would have to wait. Raises OSError for a file that cannot be opened, and
    LineError for a line that cannot be read.
    """

    def __init__(self, arguments: Iterable[str], file: str | None = None) -> None:
        self._arguments = list(arguments)
        self._file = _opened(file, self._before_waiting) if file is not None else None
        self._current: LineReader | None = None
        self._place = ""  # where the text stands that was taken last
        self.before_waiting: Callable[[], object] = bool
        self.when_asked: Callable[[], object] = bool

    @property
    def many(self) -> bool:
        """Whether there may be any number of them: lines, and not arguments alone."""
        return self._file is not None or "-" in self._arguments

    def total(self) -> int | None:
        """Return how many there are, before the first is taken; None if nobody knows."""
        lines = self._file.remaining() if self._file is not None else 0
        return None if lines is None or "-" in self._arguments else len(self._arguments) + lines

    def __enter__(self) -> Texts:
        return self

    def __exit__(self, *_: object) -> None:
        for lines in (self._file, self._current):
            if lines is not None:
                lines.close()

    def __iter__(self) -> Texts:
        return self

    def __next__(self) -> str:
        self._place = ""
        while (lines := self._next_lines()) is not None:
            for line in lines:
                self._place = lines.place
                return line
        if not self._arguments:
            raise StopIteration
        return self._arguments.pop(0)

    def groups(self, most: int) -> Iterator[list[str]]:
        """Yield the texts in lists of at most ``most``, each as soon as the next text would have to be waited for."""
        group: list[str] = []
        try:
            for text in self:
                group.append(text)
                if len(group) == most or self.waits():
                    yield group
                    group = []
        except (LineError, OSError):  # a bad line must not take those before it along
            if group:
                yield group
            raise
        if group:
            yield group

    def waits(self) -> bool:
        """Return whether taking the next text, or that there is none, would have to wait."""
        self.when_asked()
        while (lines := self._next_lines()) is not None:
            if lines.waits():
                return True
            if not lines.ended:
                break
        return False

    def located(self, error: PromptError) -> PromptError:
        """Return an ``error`` about the text that was taken last with the line where it stands, if it is one."""
        located = isinstance(error, LineError) or not self._place
        return error if located else PromptError(f"{self._place}: {error}")

    def _next_lines(self) -> LineReader | None:
        """Return the reader that the next text may come from, None where that is an argument, or nothing is left."""
        if self._current is not None and self._current.ended:
            self._current.close()
            self._current = None
        if self._current is None and self._arguments[:1] == ["-"]:
            self._arguments.pop(0)
            self._current = LineReader(sys.stdin.buffer, "standard input", self._before_waiting)
        elif self._current is None and not self._arguments:
            self._current, self._file = self._file, None
        return self._current

    def _before_waiting(self) -> None:
        self.before_waiting()


def _opened(path: str, before_waiting: Callable[[], object]) -> LineReader:
    if path == "-":
        return LineReader(sys.stdin.buffer, "standard input", before_waiting)
    return LineReader(open(path, "rb"), path, before_waiting, owned=True)
