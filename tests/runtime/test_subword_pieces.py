"""The pieces that subwords are parts of: they join to the text, whatever it is, and are cut where people would."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.tokenizer.subwords import pieces as subword_pieces
from genrun.tokenizer.subwords.pieces import cut, open_piece, with_line_starts, without_line_starts

# Characters at which a rule begins or ends come often; all others come too.
texts = st.text(
    st.one_of(st.sampled_from(" \n\r\t'’.,x1今あ한👍\u200d\ufe0f\xa0\u3000"), st.characters(codec="utf-8"))
)


@given(texts)
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(cut(text)) == text


def test_every_character_of_unicode_is_in_some_piece() -> None:
    everything = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    assert "".join(cut(everything)) == everything


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Don’t stop, it's 5th St.", ["Don’t", " stop", ",", " it's", " 5", "th", " St", "."]),
        ("a   b\n\n c\r\nd\r", ["a", "  ", " b", "\n", "\n", " c", "\r\n", "d", "\r"]),
        ("Größe „groß“ straße", ["Größe", " „", "groß", "“", " straße"]),
        ("대한민국의 봄", ["대한민국의", " 봄"]),
        ("今天3月，天气好！iPhone手机", ["今天", "3", "月", "，", "天气好", "！", "iPhone", "手机"]),
        ("東京タワーへ行く。", ["東京タワーへ行く", "。"]),
        ("วันนี้อากาศดี มาก", ["วันนี้อากาศดี", " มาก"]),
        ("हिन्दी में। नमस्ते", ["हिन्दी", " में", "।", " नमस्ते"]),
        ("👩‍👩‍👧 ❤️ ok", ["👩‍👩‍👧", " ❤️", " ok"]),
        ("if x:\n\treturn", ["if", " x", ":", "\n", "\t", "return"]),
    ],
)
def test_texts_are_cut_into(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


@pytest.mark.parametrize("mark", "«»‹›“”„‚‘「」『』【】〈〉《》（）［］｛｝⟨⟩¿¡…—€。、")
def test_brackets_and_marks_are_no_part_of_a_word(mark: str) -> None:
    assert cut(f"a{mark}b 今{mark}天") == ["a", mark, "b", " 今", mark, "天"]


def test_accents_and_vowel_signs_stay_in_their_word() -> None:
    assert cut("e\u0301te\u0308 क्\u200dष") == ["e\u0301te\u0308", " क्\u200dष"]


def test_the_page_of_the_model_file_has_these_ranges() -> None:
    page = (Path(__file__).parents[2] / "docs" / "model-file.md").read_text("utf-8").replace("\n", " ")
    for name in ("_MARKS", "_SPACELESS", "_WIDE_MARKS", "_JOINERS"):
        ends = re.findall("(?s)(.)-(.)|(.)", getattr(subword_pieces, name))
        ranges = [f"{ord(one):X}" if one else f"{ord(first):X}–{ord(last):X}" for first, last, one in ends]
        assert f": {' '.join(ranges)}." in page, name


@given(texts)
def test_line_starts_come_and_go(text: str) -> None:
    assert without_line_starts(with_line_starts(text), at_start=True) == text


@given(texts)
def test_a_lines_first_word_is_the_same_as_in_the_middle(text: str) -> None:
    assert cut(with_line_starts("the\n" + text))[:2] == [" the", "\n"]


@given(texts, texts)
def test_an_open_piece_is_the_end_of_the_text(text: str, more: str) -> None:
    pieces = cut(text)
    finished, last = open_piece(pieces)
    assert "".join([*finished, last]) == text


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("The pres", " pres"),
        ("The pres ", " "),
        ("don’", "don’"),
        ("Well.", "."),
        ("a\n", "\n"),
        ("in 20", " 20"),
        ("", ""),
    ],
)
def test_the_last_piece_is_open(text: str, last: str) -> None:
    assert open_piece(cut(text))[1] == last
