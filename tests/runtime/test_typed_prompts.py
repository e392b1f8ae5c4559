"""What was typed stands in the text as it was typed, unless the casing rewrites the whole text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun.model import Model
from genrun.tokenizer import Normalization, Tokenizer
from support.alphabet import letters, write_model

LOWER = {"step": "lowercase"}
EDGES = {"step": "isolate_edges", "leading": "“", "trailing": "”.,"}


def model(folder: Path, *words: str, steps: Sequence[dict[str, str]] = (LOWER, EDGES), **more: Any) -> Model:
    tokenizer = Tokenizer(
        kind="word",
        vocabulary=["<pad>", "<unk>", "<start>", *words],
        specials=["pad", "unk", "start"],
        normalization=Normalization(steps),
        split_on=more.pop("split_on", "whitespace"),
    )
    return genrun.load(write_model(folder / "m.onnx", tokenizer, max_new_tokens=2, **more), device="cpu")


@pytest.mark.filterwarnings("ignore::genrun.UnknownWordsWarning")
@pytest.mark.parametrize("casing", ["none", "corpus"])
@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("The USA", "The USA is late"),
        ("McFoo", "McFoo is late"),
        ("The U.S.", "The U.S. is late"),
        ("  The  USA \t", "  The  USA is late"),
        ("<start> The USA", "The USA is late"),
        ("", "is late"),
        (" ", "is late"),
        ("The USA IS ", "The USA IS late, "),
    ],
)
def test_a_prompt_stays_as_typed(tmp_path: Path, casing: str, prompt: str, text: str) -> None:
    words = ("the", "usa", "mcfoo", "u.s", ".", "is", "late", ",")
    table = [[10.0 * (column == _next(row)) for column in range(len(words) + 3)] for row in range(len(words) + 3)]
    opened = model(tmp_path, *words, table=table, casing=casing)
    [result] = opened.generate_many([prompt])
    assert result.text == opened.generate(prompt) == text.rstrip()
    assert opened.prompt_text(prompt) + "".join(opened.stream(prompt)) == result.text


def _next(token: int) -> int:
    """Return what follows a token of the model above: “late” follows “is”, a comma “late”, and “is” all others."""
    return {8: 9, 9: 10}.get(token, 8)


def test_a_casing_that_rewrites_texts_rewrites_the_prompt(tmp_path: Path) -> None:
    opened = model(tmp_path, "the", "usa", "is", "late")
    assert opened.generate("the USA", casing="title") == "The Usa Is Late"
    assert opened.generate("the USA", casing="sentence") == "The usa is late"
    assert opened.generate("the USA", casing="upper") == "THE USA IS LATE"
    assert opened.prompt_text(" the  USA ", casing="upper") == "THE USA"


def test_what_the_normalization_removes_stays_in_the_text(tmp_path: Path) -> None:
    opened = model(tmp_path, "a", "b", "c", steps=({"step": "space_out", "characters": ":!"},))
    assert opened.generate("a:") == "a: b c"
    assert opened.generate("!") == "! a b"


def test_a_tab_that_is_a_part_of_a_word_stays(tmp_path: Path) -> None:
    opened = model(tmp_path, "a\t", "b", "c", steps=(), split_on="space")
    assert opened.generate("a\t ") == "a\t b c"


def test_white_space_at_the_end_stays_where_it_is_a_token(tmp_path: Path) -> None:
    opened = genrun.load(write_model(tmp_path / "m.onnx", letters(), max_new_tokens=2), device="cpu")
    with pytest.warns(genrun.UnknownWordsWarning):
        assert opened.generate("AB ").startswith("AB ")
