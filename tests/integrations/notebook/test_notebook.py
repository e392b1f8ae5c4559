"""The example of a notebook runs from its first cell to its last, and a second time in the same folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.fixture(scope="module")
def cells(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The cells of code with what they showed when they ran for the second time, in a copy of the examples."""
    examples = tmp_path_factory.mktemp("copy") / "examples"
    shutil.copytree(repository / "examples" / "samples", examples / "samples")
    shutil.copy(repository / "examples" / "harbour.toml", examples)
    shutil.copytree(repository / "examples" / "notebook", examples / "notebook")
    book = nbformat.read(examples / "notebook" / "headlines.ipynb", as_version=4)
    client = NotebookClient(book, timeout=None, resources={"metadata": {"path": str(examples / "notebook")}})
    with client.setup_kernel():
        for _ in range(2):
            for number, cell in enumerate(book.cells):
                client.execute_cell(cell, number)
    return [cell for cell in book.cells if cell.cell_type == "code"]


def shown(cell: Any) -> str:
    """Return what a cell printed, and its value."""
    return "".join(output.get("text", "") or output["data"]["text/plain"] for output in cell.outputs)


def test_every_cell_shows_something_and_no_error(cells: list[Any]) -> None:
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"stream", "execute_result"}
    assert {output.name for cell in cells for output in cell.outputs if output.output_type == "stream"} == {"stdout"}
    assert all(shown(cell) for cell in cells)


def test_the_texts_are_those_of_the_readme(cells: list[Any]) -> None:
    trained, size, texts, suggestions, chains, explained = map(shown, cells)
    assert trained == "40"
    assert size.endswith(" MiB'")
    assert texts.splitlines()[0] == "The Council Votes to Repair the Old Bridge"
    assert suggestions.startswith("[('Votes', 0.8")
    assert chains.splitlines()[0] == "greedy         The Council Votes to Build a New Ferry"
    assert chains.splitlines()[1].startswith("second,greedy  The Council Who ")
    assert "second" in explained
