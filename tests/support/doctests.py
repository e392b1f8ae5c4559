"""The examples in docstrings: which modules have some, and running those of one module."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from support.alphabet import words, write_model

__all__ = ["modules_with_examples", "run_examples"]


def modules_with_examples(source_root: Path) -> list[str]:
    """Return the names of the modules below a source root that have examples, without importing any."""
    files = sorted(path for path in source_root.rglob("*.py") if ">>> " in path.read_text("utf-8"))
    assert files, f"no examples below {source_root}"
    return [".".join(path.relative_to(source_root).with_suffix("").parts) for path in files]


def run_examples(module: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the examples of ``module`` in ``folder``, where headlines.onnx continues a headline word by word.

    The same model is there as ``model``.
    """
    import genrun

    tokenizer = words("today", "in", "new", "york", "the", "council", "votes", "again")
    model = genrun.load(write_model(folder / "headlines.onnx", tokenizer), device="cpu")
    monkeypatch.chdir(folder)
    imported = importlib.import_module(module)
    tests = doctest.DocTestFinder(exclude_empty=True).find(imported, extraglobs={"model": model})
    runner, shown = doctest.DocTestRunner(), list[str]()
    for test in tests:
        runner.run(test, out=shown.append)
    found = runner.summarize(verbose=False)
    assert found.attempted > 0, f"{module} has >>> outside of docstrings only"
    assert found.failed == 0, "".join(shown)
