"""What a plugin's author tests: the classes by themselves, and that genrun finds them by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from genrun_plugin_example.no_repeat import NoRepeat
from genrun_plugin_example.subtitles import Subtitles

import genrun
from genrun.plugins import make_decoder, make_reader
from genrun.testing import check_decoder, check_reader

TIME = "00:00:01,000 --> 00:00:02,500"


def write(path: Path, *captions: str) -> str:
    blocks = [f"{number}\n{TIME}\n{caption}\n" for number, caption in enumerate(captions, 1)]
    path.write_bytes("\n".join(blocks).encode())
    return str(path)


def test_both_are_found_by_name_and_take_options_as_text() -> None:
    assert make_reader("subtitles", {"sounds": "true"}) == Subtitles(sounds=True)
    assert make_decoder("no-repeat", {"window": "2"}) == NoRepeat(window=2)


def test_reads_captions_and_counts_what_is_left_out(tmp_path: Path) -> None:
    source = write(tmp_path / "a.srt", "One\nline", "[door opens]", " ", "Two")
    report = genrun.ReadReport()
    assert list(Subtitles().read([source], report)) == ["One line", "Two"]
    assert (report.files, report.rows, report.dropped) == (1, 4, {"sound": 1, "empty": 1})
    assert list(Subtitles(sounds=True).read([source], genrun.ReadReport())) == ["One line", "[door opens]", "Two"]


def test_has_the_options_of_all_readers(tmp_path: Path) -> None:
    source = write(tmp_path / "a.srt", "One", "One", "Two", "Three")
    report = genrun.ReadReport()
    assert list(Subtitles(deduplicate=True, drop_pattern="^Th").read([source], report)) == ["One", "Two"]
    assert report.dropped == {"duplicate": 1, "drop_pattern": 1}


def test_names_file_and_line_of_what_it_cannot_read(tmp_path: Path) -> None:
    source = write(tmp_path / "a.srt", "One")
    with open(source, "a", encoding="utf-8") as file:
        file.write("\nno caption\n")
    with pytest.raises(genrun.CorpusError, match=r"a\.srt:5: a caption begins with its number"):
        list(Subtitles().read([source], genrun.ReadReport()))
    report = genrun.ReadReport()
    assert list(Subtitles(skip_bad=True).read([source], report)) == ["One"]
    assert (report.rows, report.dropped) == (2, {"unreadable": 1})


def test_a_corpus_without_documents_says_what_was_looked_for(tmp_path: Path) -> None:
    source = write(tmp_path / "a.srt", "[rain]")
    with pytest.raises(genrun.CorpusError, match=r"dropped: 1 sound\); looked for captions below lines such as"):
        list(Subtitles().read([source], genrun.ReadReport()))


def test_both_keep_their_contract(tmp_path: Path) -> None:
    source = write(tmp_path / "a.srt", "One\nline", "[door opens]", " ", "Two")
    bad = tmp_path / "bad.srt"
    bad.write_text("no caption\n", "utf-8")
    check_reader(Subtitles(), [source], bad=str(bad))
    check_decoder(NoRepeat(window=2))


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
