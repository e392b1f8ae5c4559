"""What a plugin's author tests: the classes by themselves, and that genrun finds them by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from genrun_plugin_example.jsonl import JsonLines
from genrun_plugin_example.no_repeat import NoRepeat

import genrun
from genrun.registry import make_decoder, make_reader


def write(path: Path, *lines: str) -> str:
    path.write_bytes("\n".join(lines).encode())
    return str(path)


def test_both_are_found_by_name_and_take_options_as_text() -> None:
    assert make_reader("jsonl", {"field": "title"}) == JsonLines(field="title")
    assert make_decoder("no-repeat", {"window": "2"}) == NoRepeat(window=2)


def test_reads_one_field_and_counts_what_is_left_out(tmp_path: Path) -> None:
    source = write(
        tmp_path / "a.jsonl", '{"text": "One"}', "", '{"id": 2}', '{"text": null}', '{"text": " "}', '{"text": "Two"}'
    )
    report = genrun.ReadReport()
    assert list(JsonLines().read([source], report)) == ["One", "Two"]
    assert (report.files, report.rows, report.dropped) == (1, 6, {"empty": 2, "missing": 2})


def test_reads_folders_and_globs_in_a_fixed_order(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", '{"text": "B"}')
    write(tmp_path / "a.jsonl", '\ufeff{"text": "A"}')
    write(tmp_path / "c.json", "not read from a folder")
    for source in (tmp_path, tmp_path / "*.jsonl"):
        assert list(JsonLines().read([str(source)], genrun.ReadReport())) == ["A", "B"]


def test_is_lazy(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", '{"text": "One"}', "not JSON")
    assert next(JsonLines().read([source], genrun.ReadReport())) == "One"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("One", "not JSON: Expecting value"),
        ("[1, 2]", "a JSON object is needed, not [1, 2]"),
        ('{"text": 3}', "the field 'text' must be text, not 3"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
    ],
)
def test_names_file_and_line_of_what_it_cannot_read(tmp_path: Path, line: str, problem: str) -> None:
    source = write(tmp_path / "a.jsonl", '{"text": "One"}', line)
    with pytest.raises(genrun.CorpusError) as caught:
        list(JsonLines().read([source], genrun.ReadReport()))
    assert str(caught.value).startswith(f"{source}:2: {problem}")


def test_another_encoding_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"text": "café"}\n'.encode("cp1252"))
    assert list(JsonLines(encoding="cp1252").read([str(path)], genrun.ReadReport())) == ["café"]
    with pytest.raises(
        genrun.CorpusError, match=r"a\.jsonl:1: byte 0xe9 is not utf-8; name the encoding with --set encoding=…"
    ):
        list(JsonLines().read([str(path)], genrun.ReadReport()))
    for encoding in ("utf-16", "hex", "none-such"):
        with pytest.raises(genrun.OptionError, match="encoding must be one that extends ASCII"):
            JsonLines(encoding=encoding)


def test_a_corpus_without_documents_says_what_was_looked_for(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", '{"title": "One"}')
    with pytest.raises(genrun.CorpusError, match=r"dropped: 1 missing\); looked for .* text in the field 'text'"):
        list(JsonLines().read([source], genrun.ReadReport()))
    with pytest.raises(genrun.CorpusError, match="no such file, folder or match: "):
        list(JsonLines().read([str(tmp_path / "none.jsonl")], genrun.ReadReport()))


def choose(decoder: NoRepeat, probabilities: list[float], tokens: list[int], draw: float) -> int:
    logits = np.log(np.array([probabilities], np.float32))
    return int(decoder.choose(logits, [np.array(tokens, np.int64)], np.array([draw], np.float32))[0])


@pytest.mark.parametrize(("draw", "token"), [(0.0, 0), (0.19, 0), (0.21, 1), (0.49, 1), (0.51, 2), (0.99, 2)])
def test_draws_by_probability(draw: float, token: int) -> None:
    assert choose(NoRepeat(), [0.2, 0.3, 0.5], [], draw) == token


def test_forbids_the_last_tokens_and_no_earlier_ones() -> None:
    assert {choose(NoRepeat(window=1), [0.2, 0.3, 0.5], [0, 2], draw / 10) for draw in range(10)} == {0, 1}
    assert {choose(NoRepeat(window=2), [0.2, 0.3, 0.5], [0, 2], draw / 10) for draw in range(10)} == {1}


def test_draws_from_all_tokens_when_every_one_is_forbidden() -> None:
    assert choose(NoRepeat(), [0.5, 0.5], [0, 1], 0.6) == 1


def test_rows_do_not_know_of_each_other() -> None:
    logits = np.zeros((2, 2), np.float32)
    tokens = [np.array([0]), np.array([1])]
    assert NoRepeat().choose(logits, tokens, np.array([0.1, 0.1], np.float32)).tolist() == [1, 0]


@pytest.mark.parametrize("options", [{"window": 0}, {"temperature": 0.0}, {"temperature": float("nan")}])
def test_options_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(genrun.OptionError, match=f"{next(iter(options))} must be"):
        make_decoder("no-repeat", options)
