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
        if not (self._runs or self._lines):
            return ""
        parts = []
        if self._runs:
            parts.append(f"{self._runs:,} of {self._texts:,} copy long runs of it, at most {self._longest} words")
        if self._lines:
            parts.append(f"{self._lines:,} of {self._texts:,} are whole lines of it")
        return f"note: compared with the training text, {', '.join(parts)} (see --max-copied)"
