"""The examples in the docstrings of the runtime and of the built-in plugins run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.doctests import modules_with_examples, run_examples

REPOSITORY = Path(__file__).parents[2]
MODULES = [name for root in ("runtime", "plugins") for name in modules_with_examples(REPOSITORY / root)]
NEEDS = {
    "genrun_plugins.readers.csv_column": "pandas",
    "genrun_plugins.readers.nyt_csv": "pandas",
    "genrun_plugins.readers.markdown": "markdown_it",
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    run_examples(name, tmp_path, monkeypatch)


def test_what_users_read_first_has_examples() -> None:
    assert {
        "genrun.model",
        "genrun.generating.async_forms",
        "genrun.contracts.reading",
        "genrun.diagnosing.doctor",
    } <= set(MODULES)
    assert not [
        path
        for root in ("runtime", "plugins", "core", "export", "examples")
        for path in (REPOSITORY / root).rglob("*.py")
        if "doctest: +SKIP" in path.read_text("utf-8")
    ]
