"""The example of a notebook, without running it: it is Python, it has no outputs, and what it names exists.

``make test-integration-notebook`` runs it.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun import plugins
from genrun.model import Model


@pytest.fixture(scope="module")
def cells(repository: Path) -> list[dict[str, Any]]:
    book = json.loads((repository / "examples" / "notebook" / "headlines.ipynb").read_text("utf-8"))
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def program(cells: list[dict[str, Any]]) -> ast.Module:
    """The cells as one program."""
    return ast.parse("\n".join("".join(cell["source"]) for cell in cells))


def public_names(module: str) -> list[str]:
    """Return ``__all__`` of a module, without importing it: it may import TensorFlow."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for statement in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(statement.value)
            return names
    return []


def test_the_notebook_has_no_outputs(cells: list[dict[str, Any]]) -> None:
    assert len(cells) >= 6
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert {cell["execution_count"] for cell in cells} == {None}


def test_what_the_notebook_imports_and_calls_exists(program: ast.Module) -> None:
    imported = {
        (node.module, name.name)
        for node in ast.walk(program)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("genrun_")
        for name in node.names
    }
    assert ("genrun_core.training.train", "train") in imported
    assert [(module, name) for module, name in imported if name not in public_names(str(module))] == []
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(program)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    owners = {"genrun": genrun, "model": Model, "plugins": plugins}
    assert {owner for owner, _ in used} >= set(owners)
    assert [(owner, name) for owner, name in used if owner in owners and not hasattr(owners[owner], name)] == []


def test_the_files_that_the_notebook_reads_are_there(program: ast.Module, repository: Path) -> None:
    texts = [node.value for node in ast.walk(program) if isinstance(node, ast.Constant)]
    read = [text for text in texts if isinstance(text, str) and text.startswith("../")]
    assert len(read) == 2
    assert [text for text in read if not (repository / "examples" / "notebook" / text).exists()] == []
