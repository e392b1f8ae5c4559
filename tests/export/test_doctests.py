"""The examples in the docstrings of core, the export and the example plugin run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun_core.backend import prepare_backend
from support.doctests import modules_with_examples, run_examples

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "genrun-plugin-example"
MODULES = [name for root in ("core", "export") for name in modules_with_examples(REPOSITORY / root)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_backend()
    run_examples(name, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", modules_with_examples(EXAMPLE))
def test_the_examples_of_the_example_plugin_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLE)
    run_examples(name, tmp_path, monkeypatch)
