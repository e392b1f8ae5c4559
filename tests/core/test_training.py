"""Training: it learns, it is the same every time, it can be continued, and it keeps the best."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import genrun
from genrun_core.atomic import write_bytes, write_with
from genrun_core.backend import memory_errors
from genrun_core.recipe import load_recipe
from genrun_core.run_folder import RunFolder
from genrun_core.training import _absolute, resume
from genrun_core.training import train as train_model
from support.trained import train, weights


def metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_three_sentences_are_learnt_by_heart(racetrack_run: Path) -> None:
    rows = metrics(racetrack_run)
    assert len(rows) == 200
    assert float(rows[-1]["loss"]) < 0.15
    assert float(rows[-1]["accuracy"]) == 1.0


def test_a_run_folder_holds_what_it_says(racetrack_run: Path) -> None:
    names = {path.name for path in racetrack_run.iterdir()}
    assert names == {
        *("run.toml", "tokenizer.json", "tokens", "corpus.json", "checkpoint", "model.keras"),
        *("metrics.csv", "loss.png", "card.json"),
    }
    assert (racetrack_run / "loss.png").read_bytes().startswith(b"\x89PNG")
    card = json.loads((racetrack_run / "card.json").read_text("utf-8"))
    assert card["architecture"]["parameters"] == 1892
    assert (card["corpus"]["documents"], card["corpus"]["predicted"], card["corpus"]["longest"]) == (3, 11, 6)
    assert card["training"]["best epoch"] <= card["training"]["epochs"] == 200


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(samples: Path, tmp_path: Path) -> None:
    settings = {"epochs": "3", "architecture": "lstm", "dropout": "0.3"}
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / name, {**settings, "seed": seed})
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert weights(tmp_path / "one") != weights(tmp_path / "three")


def test_a_continued_training_ends_with_the_same_bits_as_an_uninterrupted_one(samples: Path, tmp_path: Path) -> None:
    """Dropout, shuffling and the optimizer's moments go on where they were."""
    settings = {"hidden_size": "16", "embedding_size": "8", "batch_size": "8", "dropout": "0.4", "patience": "0"}
    songs = [samples / "songs" / "*.txt"]
    train(songs, "lyricist", tmp_path / "whole", {**settings, "epochs": "5"})
    train(songs, "lyricist", tmp_path / "parts", {**settings, "epochs": "2"})
    resume(tmp_path / "parts", epochs=5)
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")
    whole, parts = metrics(tmp_path / "whole"), metrics(tmp_path / "parts")
    assert [row["val_loss"] for row in whole] == [row["val_loss"] for row in parts]


def test_resuming_a_finished_run_changes_nothing_and_says_so(racetrack_run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in racetrack_run.iterdir()}
    said: list[str] = []
    resume(racetrack_run, say=said.append)
    assert {path: path.stat().st_mtime_ns for path in racetrack_run.iterdir()} == before
    assert said[-1] == "nothing to do: all 200 epochs are done (more with --set epochs=…)"


def test_training_stops_when_the_held_out_loss_no_longer_falls_and_the_best_is_kept(
    samples: Path, tmp_path: Path
) -> None:
    settings = {"hidden_size": "64", "embedding_size": "32", "batch_size": "4", "patience": "2", "epochs": "40"}
    run = train([samples / "songs" / "*.txt"], "lyricist", tmp_path / "run", {**settings, "learning_rate": "0.02"})
    losses = [float(row["val_loss"]) for row in metrics(run)]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 40

    from genrun_core.architecture import load_network
    from genrun_core.training import _make_fitting

    fitting = _make_fitting(RunFolder.open(run), RunFolder.open(run).recipe())
    fitting.network.set_weights(load_network(run / "model.keras").get_weights())
    kept = fitting.evaluate(fitting.validation.in_order())["val_loss"]
    assert kept == pytest.approx(min(losses), rel=1e-5)


def test_early_stopping_counts_the_epochs_before_a_resume(samples: Path, tmp_path: Path) -> None:
    settings = {"hidden_size": "64", "embedding_size": "32", "batch_size": "4", "patience": "2"}
    settings |= {"learning_rate": "0.02"}
    songs = [samples / "songs" / "*.txt"]
    whole = train(songs, "lyricist", tmp_path / "whole", {**settings, "epochs": "40"})
    stopped = len(metrics(whole))
    train(songs, "lyricist", tmp_path / "parts", {**settings, "epochs": str(stopped - 1)})
    resume(tmp_path / "parts", epochs=40)
    assert len(metrics(tmp_path / "parts")) == stopped


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


def test_a_loss_that_is_no_number_stops_training_and_names_the_epoch(samples: Path, tmp_path: Path) -> None:
    settings = {"learning_rate": "1e38", "optimizer": "sgd", "epochs": "9"}
    with pytest.raises(genrun.TrainingError, match=r"the loss became \S+ in epoch \d.*; .* clip_norm=1"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation": "0.01"}, "leaves 0 for validation and 3 for training"),
        ({"validation": "0.9"}, "leaves 3 for validation and 0 for training"),
    ],
)
def test_a_validation_split_that_leaves_nothing_is_refused(
    samples: Path, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(genrun.OptionError, match=message):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)


def test_a_folder_that_holds_something_is_not_written_to(racetrack_run: Path, samples: Path, tmp_path: Path) -> None:
    with pytest.raises(genrun.RunFolderError, match="already holds a run: go on with --resume"):
        train([samples / "racetrack.txt"], "racetrack", racetrack_run)
    (tmp_path / "precious.txt").write_text("mine", "utf-8")
    with pytest.raises(genrun.RunFolderError, match="is not an empty folder"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("missing", [["loss.png"], ["loss.png", "card.json"], ["card.json"]], ids=" ".join)
def test_what_a_kill_after_the_last_epoch_left_out_is_made_by_a_resume(
    samples: Path, tmp_path: Path, missing: list[str]
) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    before, card = weights(run), (run / "card.json").read_bytes()
    for name in missing:
        (run / name).unlink()
    resume(run)
    assert (run / "loss.png").exists()
    assert (run / "card.json").read_bytes() == card
    assert weights(run) == before


def test_leftovers_of_killed_processes_are_removed_and_those_of_living_ones_are_not(
    samples: Path, tmp_path: Path
) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftovers = [run / f".card.{dead.pid}.partial.json", run / "checkpoint" / f".latest.{dead.pid}.partial.npz"]
    living = run / f".model.{os.getppid()}.partial.keras"
    for path in (*leftovers, living):
        path.write_bytes(b"half")
    resume(run, epochs=2)
    assert not [path for path in leftovers if path.exists()]
    assert living.exists()


def test_an_aborted_beginning_is_no_obstacle(samples: Path, tmp_path: Path) -> None:
    """A kill before run.toml was whole leaves its beginning only."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f".run.{dead.pid}.partial.toml").write_text("[rec", "utf-8")
    assert train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"}).exists()


def test_fewer_epochs_than_are_done_is_refused(samples: Path, tmp_path: Path) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    settings = (run / "run.toml").read_bytes()
    with pytest.raises(genrun.OptionError, match="has 3 epochs behind it; epochs=2 would be less"):
        resume(run, epochs=2)
    assert (run / "run.toml").read_bytes() == settings


def test_a_missing_checkpoint_is_said(samples: Path, tmp_path: Path) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    (run / "checkpoint" / "latest.npz").unlink()
    said: list[str] = []
    resume(run, epochs=2, say=said.append)
    assert "note: there is no checkpoint, so training begins again" in said


def test_an_early_stop_is_said(samples: Path, tmp_path: Path) -> None:
    settings = {"hidden_size": "64", "embedding_size": "32", "batch_size": "4", "patience": "1", "epochs": "40"}
    recipe = load_recipe("lyricist", {**settings, "learning_rate": "0.02"})
    said: list[str] = []
    train_model([str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", say=said.append)
    assert "stopped early: no better val_loss for 1 epochs" in said


def test_reading_tables_line_by_line_is_said(samples: Path, tmp_path: Path) -> None:
    table = tmp_path / "titles.csv"
    table.write_text("title\none two\nthree four\n", "utf-8")
    said: list[str] = []
    train_model([str(table)], load_recipe("racetrack", {"epochs": "1"}), tmp_path / "run", say=said.append)
    assert said[0].startswith("note: every line of these files is a document")


def test_exhausted_memory_is_one_line() -> None:
    import tensorflow as tf

    error: Exception
    for error in (MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\n[[pages]]")):
        with (
            pytest.raises(genrun.TrainingError, match="not enough memory for this network and batch"),
            memory_errors(),
        ):
            raise error


def test_a_network_that_cannot_fit_is_refused_before_it_is_built(samples: Path, tmp_path: Path) -> None:
    settings = {"hidden_size": "65536", "layers": "9"}
    with pytest.raises(genrun.TrainingError, match=r"a network of [\d,]+ parameters needs about [\d,]+ GiB to train"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("missing", ["model.keras", "tokenizer.json", "tokens", "checkpoint", "corpus.json"])
def test_a_run_folder_that_lost_a_part_is_made_whole_by_a_resume(samples: Path, tmp_path: Path, missing: str) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    before, lost = weights(run), run / missing
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    resume(run)
    assert lost.exists()
    assert weights(run) == before


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


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.toml", None, "is not a run folder: it has no run.toml"),
        ("run.toml", "format_version = 2\n", "has run format 2; this genrun works with 1"),
        ("run.toml", "format_version = ", r"run\.toml: "),
        ("run.toml", "format_version = 1\n[recipe.model]\nlayer = 2\n", "model has no option 'layer'"),
        ("tokenizer.json", "{", r"tokenizer\.json: "),
        ("tokenizer.json", "{}", "tokenizer version None is not 1"),
        ("tokenizer.json", "[]", r"tokenizer\.json must hold a JSON object"),
        ("corpus.json", "[]", r"corpus\.json must hold a JSON object"),
        ("corpus.json", "{}", r"corpus\.json"),
        ("checkpoint/latest.npz", "PK", "cannot be continued from"),
        ("checkpoint/latest.npz", "", "cannot be continued from"),
    ],
)
def test_a_damaged_run_folder_is_one_line(
    samples: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    (run / name).unlink()
    if content is not None:
        (run / name).write_text(content, "utf-8")
    with pytest.raises(genrun.RunFolderError, match=message) as caught:
        resume(run, epochs=2)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_shape_is_refused(samples: Path, tmp_path: Path) -> None:
    small = train([samples / "racetrack.txt"], "racetrack", tmp_path / "small", {"epochs": "1"})
    large = train([samples / "racetrack.txt"], "racetrack", tmp_path / "large", {"epochs": "1", "layers": "2"})
    (small / "checkpoint" / "latest.npz").write_bytes((large / "checkpoint" / "latest.npz").read_bytes())
    with pytest.raises(genrun.RunFolderError, match="another shape than the recipe's"):
        resume(small, epochs=2)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_bytes(target, b"old")

    def fail(beside: Path) -> None:
        beside.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_with(target, fail)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_sources_are_kept_independent_of_the_current_folder(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    run = train(["racetrack.txt", "songs/*.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    assert RunFolder.open(run).sources == [str(samples / "racetrack.txt"), str(samples / "songs" / "*.txt")]
    assert _absolute("https://example.org/corpus.txt?page=*") == "https://example.org/corpus.txt?page=*"
