"""A short campaign of damaged model files; tests/fuzz runs one of any length by hand."""

from __future__ import annotations

import pytest

from fuzz.campaign import run


@pytest.mark.parametrize(
    ("kind", "count"), [("bytes", 500), ("structure", 300), ("metadata", 250), ("operators", 500)]
)
def test_a_damaged_file_works_or_is_refused_in_one_line(kind: str, count: int) -> None:
    findings = run(kind, count, seed=0)
    assert findings.wrong == []
    assert min(findings.outcomes["works"], findings.outcomes["refused"]) > count // 20
    assert sum(findings.outcomes.values()) == count
