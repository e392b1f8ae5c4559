"""The answers that the tests of the JavaScript runtime compare with are those of this runtime."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.web_vectors import FOLDER, documents


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(documents()))
    return found


@pytest.mark.parametrize("name", ["draws", "characters", "tokenizers", "chains", "texts"])
def test_recorded_answers_are_those_of_now(answers: dict[str, Any], name: str) -> None:
    recorded = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert recorded == answers[name], "if that is meant: cd tests && python -m support.web_vectors"


def test_no_other_answers_are_recorded(answers: dict[str, Any]) -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(answers)
