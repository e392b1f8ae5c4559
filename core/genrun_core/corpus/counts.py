"""What the passes over a corpus counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from genrun.errors import RunFolderError, one_line

__all__ = ["CorpusCounts"]


@dataclass(frozen=True, slots=True)
class CorpusCounts:
    """What the passes over a corpus counted.

    ``rows`` of the source, ``dropped`` of them by reason, ``documents`` left, ``duplicates`` of them exactly like an
    earlier one; ``words`` in all, ``distinct`` ones that the vocabulary is cut from, of which ``distinct_for_95``
    would cover 95% of all, ``unknown`` of all outside of it; ``predicted`` next-token predictions that training
    makes in an epoch; ``median``, ``percentile_95`` and ``longest``: the length of documents in tokens; ``too_short``
    documents with nothing to predict; ``line_breaks``: documents of several lines; ``held_out`` documents, which have
    ``held_out_words`` words, of which ``held_out_unknown`` are outside of the vocabulary;
    ``validated_and_trained_on``: documents given for validation that are also trained on. ``distinct`` words and
    ``predicted`` tokens are those of documents that are trained on; the other counts are of all. ``fingerprint``:
    BLAKE2 of all documents in order; ``sources_fingerprint``: of the paths, sizes and times of the files, empty if
    the sources are no files; ``notes``: what the reader noted of its files; ``labels``: a line for each. None
    stands for what an older genrun did not count.
    """

    files: int
    rows: int
    dropped: dict[str, int]
    documents: int
    fingerprint: str
    words: int
    unknown: int = 0
    predicted: int = 0
    longest: int = 0
    too_short: int = 0
    duplicates: int | None = None
    distinct: int | None = None
    distinct_for_95: int | None = None
    median: int | None = None
    percentile_95: int | None = None
    sources_fingerprint: str = ""
    held_out: int = 0
    held_out_unknown: int = 0
    held_out_words: int = 0
    line_breaks: int | None = None
    validated_and_trained_on: int = 0
    notes: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    @property
    def learnt_words(self) -> int:
        """The words of the documents that are trained on."""
        return self.words - self.held_out_words

    @property
    def learnt_unknown(self) -> int:
        """Those of them that are outside of the vocabulary."""
        return self.unknown - self.held_out_unknown

    @property
    def known_share(self) -> float:
        """The share of the words that are trained on which are in the vocabulary."""
        return 1 - self.learnt_unknown / self.learnt_words

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON-ready dictionary."""
        return {name: value for name, value in asdict(self).items() if name != "labels" or value}

    @classmethod
    def from_json(cls, value: dict[str, Any], path: Path) -> CorpusCounts:
        """Return the counts that :meth:`to_json` wrote to ``path``; raises RunFolderError if they are not."""
        try:
            counts = cls(**value)
        except TypeError as error:
            raise RunFolderError(f"{path}: {one_line(error)}") from error
        for entry in fields(cls):
            if not _ACCEPTED[str(entry.type)](found := getattr(counts, entry.name)):
                raise RunFolderError(f"{path}: {entry.name!r} cannot be {found!r:.50}")
        return counts


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


_ACCEPTED: dict[str, Callable[[Any], bool]] = {
    "int": _is_count,
    "int | None": lambda value: value is None or _is_count(value),
    "str": lambda value: isinstance(value, str),
    "list[str]": lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value),
    "dict[str, int]": lambda value: isinstance(value, dict) and all(map(_is_count, value.values())),
}
