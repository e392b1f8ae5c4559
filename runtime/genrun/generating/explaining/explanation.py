"""What is recorded of each word of an explained text, and its forms: JSON and a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from genrun.checks.short_text import shorten

__all__ = ["ExplainedCandidate", "ExplainedStage", "ExplainedWord", "Explanation"]

_WIDEST = 24  # characters of a column


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """A token: its ``probabilities`` by the model, and then after each stage; 0 once it is out."""

    id: int
    text: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ExplainedStage:
    """What one stage left for one word: the number of candidates ``kept``.

    ``removed``: the probability, before the stage, of the candidates that it took out.
    """

    name: str
    kept: int
    removed: float


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """One chosen token, by its ``id`` and ``text``; ``draw``: its uniform number in [0, 1).

    ``before``: the text so far. ``candidates``: the likeliest by the model or after the last stage, and the one that
    was chosen; the likeliest at the end first. ``stages``: the model and then the stages, in their order.
    """

    id: int
    text: str
    before: str
    draw: float
    candidates: tuple[ExplainedCandidate, ...]
    stages: tuple[ExplainedStage, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a text came about, word by word. ``chooser``: what chose among the candidates, usually ``draw``.

    ``copied_run`` and ``is_training_line`` as in :class:`genrun.results.Result`.
    """

    prompt: str
    text: str
    seed: int
    sample: int
    chooser: str
    words: tuple[ExplainedWord, ...]
    copied_run: int | None = None
    is_training_line: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as a JSON-ready dictionary, with probabilities of six decimals."""
        value = asdict(self)
        for word in value["words"]:
            word["draw"] = round(word["draw"], 6)
            for stage in word["stages"]:
                stage["removed"] = round(stage["removed"], 6)
            for candidate in word["candidates"]:
                candidate["probabilities"] = [round(each, 6) for each in candidate["probabilities"]]
        return value

    def page(self) -> str:
        """Return the explanation as an HTML page that needs nothing else: a picture and a table for each word."""
        from genrun.generating.explaining.page import page_of

        return page_of(self)

    def table(self) -> Iterator[str]:
        """Yield the lines of a table for each word: a row for each candidate, a column for each stage."""
        for word in self.words:
            names = [shorten(stage.name, _WIDEST) for stage in word.stages]
            rows = [("", names)]
            for candidate in word.candidates:
                mark = "* " if candidate.id == word.id else "  "
                rows.append((mark + shorten(candidate.text, _WIDEST), list(map(_percent, candidate.probabilities))))
            rows.append(("  candidates", [f"{stage.kept:,}" for stage in word.stages]))
            rows.append(("  removed", [_percent(stage.removed) for stage in word.stages]))
            widths = [max(len(cells[at]) for _, cells in rows) for at in range(len(names))]
            first = max(len(head) for head, _ in rows)
            yield f"{word.before} | {word.text}".strip()
            for head, cells in rows:
                aligned = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
                yield f"{head.ljust(first)}  {'  '.join(aligned)}"
            yield f"  {self.chooser}, with the number {word.draw:.4f}"
            yield ""


def _percent(share: float) -> str:
    return f"{share:.2%}".replace("%", " %") if share else "-"
