"""What can be done with a finished run: measured on what it held out, made to write, made smaller, and looked at."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import genrun
from genrun_core.cli.evaluate import command as evaluate_command
from genrun_core.corpus.look import look_at
from genrun_core.corpus.reading import make_reader
from genrun_core.evaluation.evaluation import evaluate_held_out
from genrun_core.evaluation.text_look import forget_judgement, judge_texts, texts_of_run
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import PluginChoice
from genrun_core.reporting.advice import table
from genrun_core.reporting.report import compare
from genrun_core.reporting.run_report import documents_of
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.showing.result_notes import result_notes
from genrun_core.training.train import resume, train
from support.trained import weights


def test_held_out_documents_are_measured_as_in_training(songs_run: Path) -> None:
    found = evaluate_held_out(songs_run)
    run = RunFolder.open(songs_run)
    assert found.documents == len(run.shards(run.tokenizer()).held_out)
    assert found.perplexity == pytest.approx(run.card()["training"]["val_perplexity"], rel=1e-4)
    result = CliRunner().invoke(evaluate_command, [str(songs_run), "--held-out"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"perplexity {found.perplexity:.2f} (")
    assert "bits a character" not in result.stdout
    assert result.stderr.endswith(f"next: genrun export {songs_run} -o {songs_run}.onnx\n")


def test_held_out_goes_with_no_corpus_and_needs_documents_that_were_held_out(
    songs_run: Path, racetrack_run: Path
) -> None:
    for wrong in (
        [str(songs_run)],
        [str(songs_run), "a.txt", "--held-out"],
        [str(songs_run), "--held-out", "--running"],
    ):
        assert CliRunner().invoke(evaluate_command, wrong).exit_code == 2
    with pytest.raises(genrun.CorpusError, match="held out no documents"):
        evaluate_held_out(racetrack_run)


def test_a_run_writes_what_its_model_file_writes(songs_run: Path, songs_model: Path) -> None:
    model = genrun.load(songs_model, device="cpu")
    written = [result.text for result in model.generate_many([""], n=12, seed=3)]
    assert texts_of_run(RunFolder.open(songs_run), 12, seed=3) == written


@pytest.fixture
def counted(samples: Path, tmp_path: Path) -> RunFolder:
    """An n-gram model of the sample headlines, with 30 of them and more held out."""
    recipe = load_recipe("ngram", {"validation": "0.2"}, "nyt-csv")
    return train([str(samples / "headlines")], recipe, tmp_path / "counted")


def test_counts_write_what_their_model_file_writes_and_are_judged(counted: RunFolder) -> None:
    from genrun_export.exporting import export

    export(counted.path, counted.path.with_suffix(".onnx"))
    model = genrun.load(counted.path.with_suffix(".onnx"), device="cpu")
    written = [result.text for result in model.generate_many([""], n=12, seed=3)]
    assert texts_of_run(counted, 12, seed=3) == written
    lines = judge_texts(counted)
    assert "training lines" in lines[0]
    assert len(lines) >= 2


@pytest.fixture
def copying(tmp_path: Path) -> Path:
    """Documents that have only their first words in common, each twice: a model can but copy them."""
    lines = [" ".join(["once", "upon", *(f"w{number}x{place}" for place in range(10))]) for number in range(150)]
    (tmp_path / "copying.txt").write_text("\n".join([*lines, *lines, ""]), "utf-8")
    return tmp_path / "copying.txt"


def test_a_model_whose_texts_copy_is_exported_so_that_they_do_not(copying: Path, tmp_path: Path) -> None:
    from genrun_export.exporting import export

    run = train([str(copying)], load_recipe("ngram", {"validation": "0.2"}), tmp_path / "run")
    lines = judge_texts(run)
    assert lines[-1] == "so the model file will copy at most 4 words in a row (--max-copied 0: any number)"
    texts = run.card()["texts"]
    assert texts["max_copied"] == 4
    assert texts["copied_run"] > 4
    assert judge_texts(run) == lines
    export(run.path, tmp_path / "model.onnx")
    model = genrun.load(tmp_path / "model.onnx", device="cpu")
    assert model.defaults.max_copied == 4
    assert all(result.copied_run == 0 for result in model.generate_many([""], n=50, seed=1))
    free = model.generate_many([""], n=50, seed=1, decoder="temperature", max_copied=0)
    assert any(result.is_training_line and (result.copied_run or 0) > 4 for result in free)
    forget_judgement(run)
    assert run.max_copied() == 0


@pytest.mark.parametrize(
    "settings", [{"fit_decoder": "false"}, {"originality": "false"}, {"max_copied": "6"}, {"max_copied": "10"}]
)
def test_what_a_recipe_says_of_copies_stands(copying: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    run = train([str(copying)], load_recipe("ngram", {"validation": "0.2", **settings}), tmp_path / "run")
    assert not any("the model file will copy" in line for line in judge_texts(run))
    assert run.card()["texts"]["max_copied"] == 0


def test_a_card_that_allows_an_impossible_number_of_copied_words_is_refused(counted: RunFolder) -> None:
    from genrun_export.exporting import export

    for wrong in (3, 8, "4", -1):
        counted.save_json(counted.card_file, {**counted.card(), "texts": {"max_copied": wrong}})
        with pytest.raises(genrun.RunFolderError, match=r"card\.json: 'max_copied' must be 0 \(off\) or from 4 to 7"):
            export(counted.path, counted.path.with_suffix(".onnx"))


def test_the_documents_of_a_run_are_those_of_its_corpus(counted: RunFolder, samples: Path) -> None:
    documents = documents_of(counted)
    assert documents is not None
    assert len(documents.held_out) == len(counted.shards(counted.tokenizer()).held_out) > 20
    assert len(documents.held_out) + len(documents.trained_on) == 320
    assert not set(documents.held_out) & set(documents.trained_on)


def test_a_corpus_that_has_changed_is_not_compared_with(tmp_path: Path) -> None:
    corpus = tmp_path / "a.txt"
    corpus.write_text("".join(f"line {number} of many\n" for number in range(200)), "utf-8")
    run = train([str(corpus)], load_recipe("ngram"), tmp_path / "run")
    corpus.write_text("another one\n", "utf-8")
    assert documents_of(run) is None
    assert judge_texts(run) == []


def test_a_smaller_run_exports_the_same_and_goes_on_with_a_note(songs_run: Path, tmp_path: Path) -> None:
    from genrun_core.training.saving.checkpoint import drop_optimizer

    run = tmp_path / "run"
    shutil.copytree(songs_run, run)
    before = (run / "checkpoint" / "latest.npz").stat().st_size
    drop_optimizer(run / "checkpoint" / "latest.npz")
    assert (run / "checkpoint" / "latest.npz").stat().st_size < 0.6 * before
    assert weights(run) == weights(songs_run)
    said: list[str] = []
    resume(run, say=said.append)
    assert said[-1].startswith("nothing to do")
    resume(run, epochs=7, say=said.append)
    assert "note: the state of the optimizer was dropped at the end (--smaller), so it begins again" in said
    assert json.loads((run / "card.json").read_text("utf-8"))["training"]["epochs"] == 7
    drop_optimizer(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("losses", "best", "note"),
    [
        ([5.0, 5.2, 5.4], 1, "the first epoch was the best"),
        ([5.0, 4.5, 4.2], 3, "the last epoch was the best by far"),
        ([5.0, 4.9, 4.95], 2, "held-out documents are predicted much worse"),
        ([2.0, 1.9, 1.95], 2, ""),
    ],
)
def test_what_is_off_about_a_training_is_noted(losses: list[float], best: int, note: str) -> None:
    found = list(result_notes([{"loss": 2.0, "val_loss": loss} for loss in losses], best))
    assert len(found) == bool(note)
    assert "".join(found).startswith(note)


def test_a_look_says_what_a_corpus_is(samples: Path, tmp_path: Path) -> None:
    recipe = load_recipe("default")

    def lines(text: str) -> list[str]:
        (tmp_path / "corpus.txt").write_text(text, "utf-8")
        return list(look_at(recipe, make_reader(PluginChoice("text")), [str(tmp_path / "corpus.txt")]).lines())

    verse = lines("One, two, buckle my shoe\nThe sea is wide\n" * 300)
    assert verse == [
        "600 documents, 2,700 words, 4 in one of them (median)",
        "it reads like language; tokens are words",
        f"as the model sees them: {' | '.join(3 * ['one , two , buckle my shoe'])}",
        "note: 50.0% of the documents are 'One, two, buckle my shoe': "
        "--set drop_pattern='^One, two, buckle my shoe$' leaves them out",
    ]
    names = "the documents are names or single words: tokens are characters"
    assert lines("Ada\nGrace\n" * 100)[1] == f"they are few: 800 characters; {names}"
    assert lines("\n".join(f"Ada{n}\nGrace{n}" for n in range(300)))[1:] == [
        names,
        "as the model sees them: A d a 0 | A d a 1 0 0 | A d a 2 0 0",
    ]
    assert "no spaces between words: tokens are subwords" in lines("今天我们在公园里看书。\n" * 100)[1]
    assert lines("12,5;17,0;3\n" * 900)[1].startswith("most of it is numbers and marks, not language")
    assert lines("a few words\n")[1].startswith("it is little text: from 3 words")
    with pytest.raises(genrun.CorpusError, match="no document found"):
        lines("")


def test_a_document_that_is_there_too_often_can_be_left_out_as_the_look_says(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("Unknown (1 of 2)\n" * 30 + "".join(f"ship {n}\n" for n in range(300)))
    options: dict[str, str] = {}
    for count, notes in ((330, 1), (300, 0)):
        reader = make_reader(PluginChoice("text", options))
        look = look_at(load_recipe("default"), reader, [str(tmp_path / "corpus.txt")])
        assert (look.documents, len(list(look.lines())) - 3) == (count, notes)
        assignment, *_ = shlex.split(look.note.partition(" --set ")[2] or "drop_pattern=")
        options = {"drop_pattern": assignment.partition("=")[2]}


def test_names_are_compared_by_their_characters() -> None:
    names = [f"{a}{b}{c}a" for a in "BCDFG" for b in "aeiou" for c in "lmnrs"]
    report = compare([name[::-1] for name in names], names)
    assert report.units == "characters"
    assert report.texts.measures.length_median == 4
    assert report.auc is not None
    assert report.auc > 0.9
    assert [line.split()[:2] for line in table(report)][5] == ["two", "characters"]
    assert compare(["one two three"], ["four five six"]).units == "words"
