"""The examples of the README and of the pages, run as a reader would and compared with what the pages show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.documentation import blocks_of, run_page, says

REPOSITORY = Path(__file__).parents[2]
PAGES = [path for path in sorted((REPOSITORY / "docs").glob("*.md")) if "<!-- run -->" in path.read_text("utf-8")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README has been followed, so that harbour.onnx and runs/harbour are there."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "examples").symlink_to(REPOSITORY / "examples")
    (folder / "prompts.txt").write_text("the council\n\n", encoding="utf-8")
    assert run_page((REPOSITORY / "README.md").read_text("utf-8"), folder) >= 2
    return folder


def test_the_readme_can_be_followed(folder: Path) -> None:
    assert len((folder / "texts.txt").read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_examples_of_a_page_say_what_it_shows(page: Path, folder: Path) -> None:
    assert run_page(page.read_text("utf-8"), folder) >= 1


@pytest.mark.parametrize("page", sorted(REPOSITORY.glob("docs/*.md")), ids=lambda path: path.stem)
def test_every_block_of_python_is_python(page: Path) -> None:
    for block in blocks_of(page.read_text("utf-8")):
        if block.language == "python":
            compile(block.text, f"{page}:{block.line}", "exec")


def test_the_map_of_the_house_names_every_room_once_and_no_place_that_is_gone() -> None:
    page = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    places = re.findall(r"`((?:runtime|core|export|plugins|tests|docs)/[\w./-]*)`", page)
    assert [place for place in places if not (REPOSITORY / place).exists()] == []
    tables = page.partition("\n## The map\n")[2].partition("\n## ")[0]
    for package in ("runtime/genrun", "plugins/genrun_plugins", "core/genrun_core", "export/genrun_export"):
        rooms = [f"{package}/{path.parent.name}" for path in REPOSITORY.glob(f"{package}/*/__init__.py")]
        assert rooms
        assert {room: tables.count(f"`{room}/`") for room in rooms} == dict.fromkeys(rooms, 1)


def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path) -> None:
    assert says("a … c, 0.50, 12 tokens/s\n…\nend", "a b c, 0.51, 9 tokens/s\nmore\nand more\nend\n")
    assert not says("0.50\nend", "0.60\nend")
    assert not says("a\nb", "a\n")
    assert run_page("<!-- run -->\n```python\n1 + 1  # 2\nprint(3)\n```\n\n```\n3\n```\n", tmp_path) == 1
    for wrong in ("python\n1 + 1  # 3", "python\nprint(3)  # 4", "\n$ echo a\nb", "\n$ false", "python\n1\n# E: no"):
        with pytest.raises(AssertionError, match="the block at line 2"):
            run_page(f"<!-- run -->\n```{wrong}\n```\n", tmp_path)
