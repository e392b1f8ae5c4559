"""Comparing the tables that a cluster has made with the texts of one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import genrun
from genrun.results import Result

__all__ = ["assert_complete"]

COLUMNS = ("text", "continuation", "ids", "finish_reason", "log_probability", "unknown", "sample", "seed")


def expected_rows(model: Path, prompts: Sequence[str], **choices: Any) -> list[tuple[Any, ...]]:
    """Return what ``generate_many`` says for ``prompts``, a tuple for each text."""
    with genrun.load(model, device="cpu") as opened:
        return [row_of(result) for result in opened.generate_many(prompts, **choices)]


def row_of(result: Result) -> tuple[Any, ...]:
    values = result.to_json()
    return (result.prompt, *(values[name] for name in COLUMNS))


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    """Return the same of an Arrow table's rows; ids and unknown words are tuples, as in a result."""
    rows = table.select(["prompt", *COLUMNS]).to_pylist()
    return [tuple(tuple(value) if isinstance(value, list) else value for value in row.values()) for row in rows]


def assert_complete(table: Any, model: Path, prompts: Sequence[str], **choices: Any) -> None:
    """Assert that the rows, which may be in any order, have the ``number`` and the text of each of ``prompts``."""
    rows = table.sort_by("number")
    assert rows["number"].to_pylist() == list(range(len(prompts)))
    assert rows_of(rows) == expected_rows(model, prompts, **choices)
