"""What the texts of a command copy from the training text, as one note."""

from __future__ import annotations

from genrun.results import Result

__all__ = ["Copies"]


class Copies:
    """Counts texts that are lines of the training text, and those that have a long run of its words."""

    def __init__(self) -> None:
        self._texts = self._lines = self._runs = self._longest = 0

    def note(self, result: Result) -> None:
        """Count one text."""
        self._texts += 1
        self._lines += bool(result.is_training_line)
        self._runs += bool(result.copied_run)
        self._longest = max(self._longest, result.copied_run or 0)

    @property
    def line(self) -> str:
        """The note; empty if nothing is copied."""
        parts = []
        if self._lines:
            parts.append(f"{self._lines:,} {'is a line' if self._lines == 1 else 'are lines'} of the training text")
        if self._runs:
            has = "has a run" if self._runs == 1 else "have runs"
            parts.append(f"{self._runs:,} {has} of its words, the longest of {self._longest}")
        if not parts:
            return ""
        of = "the text" if self._texts == 1 else f"{self._texts:,} texts"
        return f"note: of {of}, {'; '.join(parts)} (--max-copied avoids that)"
