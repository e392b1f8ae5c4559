"""The example of a text box, without its window: what is suggested for a line, and the line after one is taken."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import genrun
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.normalization import Normalization
from support import examples
from support.alphabet import alphabet_table, letters, words, write_model


@pytest.fixture(scope="module")
def program(repository: Path) -> ModuleType:
    return examples.program(repository / "examples" / "text-box" / "completing.py")


def completing(program: ModuleType, folder: Path, tokenizer: Any) -> Any:
    file = write_model(folder / "model.onnx", tokenizer, table=alphabet_table(tokenizer))
    return program.Completing(genrun.load(file, device="cpu"), most=3)


def taken(box: Any, line: str) -> str:
    """Return the line after its first suggestion is taken."""
    assert box.look(line).words
    return str(box.take(line, 0))


def test_a_word_is_completed_or_follows(program: ModuleType, tmp_path: Path) -> None:
    box = completing(program, tmp_path, words("the", "council", "votes", "again", "."))
    assert box.look("") == program.Offer(("the", "council", "votes"), "")
    assert taken(box, "") == "the "
    assert taken(box, "the ") == "the council "
    assert taken(box, "the co") == "the council "
    assert taken(box, "the council vo") == "the council votes "
    assert taken(box, "the council votes again ") == "the council votes again. "


def test_a_remark_says_why_there_is_little_to_suggest(program: ModuleType, tmp_path: Path) -> None:
    box = completing(program, tmp_path, words("the", "council", specials=["pad", "unk"]))
    assert box.look("dragons the ").remark == "not in the model's vocabulary: dragons"
    assert box.look("the xq") == program.Offer((), "")
    empty = box.look("")
    assert empty.words == ()
    assert "give at least one word" in empty.remark


def test_a_word_that_was_typed_in_another_form_is_replaced_as_a_whole(program: ModuleType, tmp_path: Path) -> None:
    box = completing(
        program,
        tmp_path,
        Tokenizer(
            kind="word",
            vocabulary=["<unk>", "the", "café’s", ","],
            specials=["unk"],
            normalization=Normalization(
                [{"step": "nfc"}, {"step": "lowercase"}, {"step": "isolate_edges", "leading": "“", "trailing": "’,"}]
            ),
        ),
    )
    assert taken(box, "the " + unicodedata.normalize("NFD", "café")) == "the café’s "
    assert taken(box, "The CAFÉ’") == "The café’s "
    assert taken(box, "the ") == "the café’s "
    assert taken(box, "the café’s ") == "the café’s, "


def test_characters_are_put_behind_each_other(program: ModuleType, tmp_path: Path) -> None:
    assert taken(completing(program, tmp_path, letters("char")), "abc") == "abcd"
