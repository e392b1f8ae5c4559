"""What a training reads: sources are kept, counted and said, and one that is no good leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrun
from genrun_core.corpus.kept_sources import absolute_source
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import train as train_model
from support.trained import train


def test_standard_input_is_kept_in_the_run_folder(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (samples / "racetrack.txt").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        run = train(["-"], "racetrack", tmp_path / "run", {"epochs": "1"})
    assert RunFolder.open(run).sources == [str(run / "standard-input.txt")]
    assert (run / "standard-input.txt").read_bytes() == (samples / "racetrack.txt").read_bytes()


def test_what_is_said_names_every_count(samples: Path, tmp_path: Path) -> None:
    said: list[str] = []
    recipe = load_recipe("nyt-headlines", {"epochs": "1"})
    train_model([str(samples / "headlines")], recipe, tmp_path / "run", say=said.append)
    assert said[0] == "336 rows in 2 files: 320 headlines (dropped: 16 unknown)"
    assert said[1].startswith("vocabulary ")
    assert said[2].startswith("2,558 words, 2,238 predictions an epoch; ")  # each document has one word fewer
    assert " parameters, 1 × lstm 100, embedding 10; on " in said[3]


def test_a_validation_split_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("it is late\n" * 3, "utf-8")
    message = "of 3 documents, which are all alike, leaves 0 for validation and 3 for training"
    with pytest.raises(genrun.OptionError, match=message):
        train([tmp_path / "corpus.txt"], "racetrack", tmp_path / "run", {"validation": "0.01"})
    assert not (tmp_path / "run").exists()


def test_more_sampled_words_than_there_are_is_refused_and_leaves_nothing(samples: Path, tmp_path: Path) -> None:
    settings = {"tied": "true", "sampled_softmax": "12"}
    with pytest.raises(genrun.OptionError, match="sampled_softmax=12 is not below the vocabulary, which is 12"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_reading_tables_line_by_line_is_said(samples: Path, tmp_path: Path) -> None:
    table = tmp_path / "titles.csv"
    table.write_text("title\none two\nthree four\n", "utf-8")
    said: list[str] = []
    train_model([str(table)], load_recipe("racetrack", {"epochs": "1"}), tmp_path / "run", say=said.append)
    assert said[0].startswith("note: every line of these files is a document")


def test_a_folder_that_was_there_stays_when_the_corpus_is_no_good(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "one.txt").write_text("a\nb\n", "utf-8")
    with pytest.raises(genrun.CorpusError, match="no document has two tokens"):
        train([tmp_path / "one.txt"], "racetrack", tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_standard_input_can_be_named_once(tmp_path: Path) -> None:
    with pytest.raises(genrun.OptionError, match="named only once"):
        train(["-", "-"], "racetrack", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_corpus_that_cannot_be_read_leaves_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(genrun.CorpusError, match="no such file"):
        train([tmp_path / "nowhere.txt"], "racetrack", tmp_path / "run")
    late = tmp_path / "late.txt"
    late.write_bytes(b"good line\n" * 100_000 + b"\xff\xfe bad line\n")
    with pytest.raises(genrun.CorpusError, match=r"late\.txt:100001"):
        train([late], "racetrack", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_sources_are_kept_independent_of_the_current_folder(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    run = train(["racetrack.txt", "songs/*.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    assert RunFolder.open(run).sources == [str(samples / "racetrack.txt"), str(samples / "songs" / "*.txt")]
    assert absolute_source("https://example.org/corpus.txt?page=*") == "https://example.org/corpus.txt?page=*"
