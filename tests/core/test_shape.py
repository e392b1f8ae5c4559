"""The shape of a text: wrapped prose is told from texts of one line, and read by paragraphs unless told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun.errors import OptionError
from genrun_core.corpus.reading import make_reader
from genrun_core.corpus.shape import fit_shape, shape_of
from genrun_core.recipes.recipe import Recipe, load_recipe
from support.prose import paragraphs, wrapped

PARAGRAPHS = paragraphs(30)
LINES = [sentence for text in PARAGRAPHS for sentence in text.split(". ")]


def fitted(
    sources: list[str], settings: dict[str, str] | None = None, recipe: str = "default", *, alone: bool = True
) -> tuple[Recipe, list[str]]:
    loaded, said = load_recipe(recipe, settings), list[str]()
    chosen, reader = fit_shape(loaded, make_reader(loaded.reader), sources, said.append, alone=alone)
    assert make_reader(chosen.reader) == reader
    return chosen, said


@pytest.fixture
def novel(tmp_path: Path) -> str:
    (tmp_path / "novel.txt").write_text(wrapped(PARAGRAPHS), "utf-8")
    return str(tmp_path / "novel.txt")


@pytest.mark.parametrize("width", [60, 70, 80])
def test_prose_with_broken_lines_is_wrapped(width: int) -> None:
    assert shape_of(wrapped(PARAGRAPHS, width).splitlines()).wrapped


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "it has fewer than 40 lines"),
        (wrapped(PARAGRAPHS[:3]).splitlines(), "it has fewer than 40 lines"),
        (LINES, "it has no paragraphs with blank lines between"),
        ([line for text in PARAGRAPHS for line in (text, "")] * 2, "most of its paragraphs have one line"),
        (wrapped(PARAGRAPHS, 40).splitlines(), "0% of its lines have 50 to 90 characters"),
        (wrapped(PARAGRAPHS, 200).splitlines(), "0% of its lines have 50 to 90 characters"),
        (wrapped(PARAGRAPHS).upper().splitlines(), "0% of its lines go on in the next one, in lower case"),
    ],
)
def test_what_is_not_wrapped_says_why(lines: list[str], reason: str) -> None:
    shape = shape_of(lines)
    assert not shape.wrapped
    assert shape.reason == reason


def test_verse_and_lists_are_not_wrapped() -> None:
    verse = ["The ferryman watched the bridge and the sleeping town,", "And nobody followed him there."] * 2 + [""]
    listed = ["the first point of several that are all in lower case.", "the next one, as long as that one was.", ""]
    for text in (verse, listed):
        assert not shape_of(text * 30).wrapped


def test_a_novel_becomes_running_text_of_paragraphs_and_a_line_says_so(novel: str) -> None:
    recipe, [line] = fitted([novel])
    assert recipe.training.running_text
    assert (
        recipe.reader.options.items() >= {"encoding": "utf-8", "documents": "paragraphs", "join_lines": True}.items()
    )
    assert line.startswith(f"the lines of {novel} are wrapped prose (")
    assert line.endswith(
        "): it is read as one running text of paragraphs; --set documents=lines makes each line a document"
    )
    assert not {"reader.documents", "training.running_text"} & set(recipe.adapt)


def test_subwords_take_a_novel_likewise(novel: str) -> None:
    assert fitted([novel], recipe="subwords")[0].training.running_text


def test_what_is_given_stays(novel: str) -> None:
    lines, said = fitted([novel], {"documents": "lines"})
    assert (lines.reader.options["documents"], lines.training.running_text, said) == ("lines", False, [])
    separate, [line] = fitted([novel], {"running_text": "false"})
    assert (separate.reader.options["documents"], separate.training.running_text) == ("paragraphs", False)
    assert "it is read as paragraphs;" in line
    assert fitted([novel], {"running_text": "true"})[0].training.running_text


@pytest.mark.parametrize("recipe", ["lyricist", "characters", "ngram"])
def test_a_recipe_that_leaves_it_not_open_stays_as_it_is(novel: str, recipe: str) -> None:
    settings = {"reader": "text"}
    assert fitted([novel], settings, recipe) == (load_recipe(recipe, settings), [])


def test_what_cannot_carry_its_state_reads_paragraphs_apart(novel: str) -> None:
    for recipe, _ in (
        fitted([novel], {"architecture": "window"}),
        fitted([novel], {"devices": "all"}),
        fitted([novel], alone=False),
    ):
        assert (recipe.reader.options["documents"], recipe.training.running_text) == ("paragraphs", False)


def test_only_a_single_file_is_looked_at(novel: str, tmp_path: Path) -> None:
    for sources in ([novel, novel], [str(tmp_path)], [str(tmp_path / "*.txt")], ["-"], ["nothere.txt"]):
        recipe, said = fitted(sources)
        assert (recipe.reader.options["documents"], recipe.training.running_text, said) == ("lines", False, [])


def test_the_encoding_of_the_reader_is_used(tmp_path: Path) -> None:
    path = tmp_path / "novel.txt"
    path.write_text(wrapped(PARAGRAPHS), "utf-16")
    assert fitted([str(path)], {"encoding": "utf-16"})[0].training.running_text
    assert not fitted([str(path)])[0].training.running_text
    path.write_text(wrapped(PARAGRAPHS), "utf-16-le")  # no byte order mark: the reader refuses it
    assert not fitted([str(path)], {"encoding": "utf-16"})[0].training.running_text


def test_lines_without_an_end_are_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word " * 100_000, "utf-8")
    assert not fitted([str(tmp_path / "long.txt")])[0].training.running_text


def test_a_reader_of_tables_is_left_alone(novel: str) -> None:
    loaded = load_recipe("default", {"column": "title"}, "csv")
    reader = make_reader(loaded.reader)
    recipe, same = fit_shape(loaded, reader, [novel], pytest.fail)
    assert (recipe.reader, same) == (loaded.reader, reader)
    with pytest.raises(OptionError, match="documents"):
        load_recipe("default", {"column": "title", "documents": "lines"}, "csv")
