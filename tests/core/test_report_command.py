"""``genrun report``, on models of a few letters and on the sample songs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import genrun
from genrun_core.cli.report import command
from genrun_core.recipes.sections import PluginChoice
from genrun_core.reporting.model_report import draws_from_all, report_model, texts_from_nothing
from support.alphabet import babble_table, letters, random_drift, words, write_model


@pytest.fixture
def babble(tmp_path: Path) -> Path:
    """A model of letters as words, which it says at random."""
    tokenizer = letters(kind="word")
    size = len(tokenizer)
    about: dict[str, Any] = {"decoder": "temperature", "max_new_tokens": 8}
    return write_model(
        tmp_path / "babble.onnx", tokenizer, table=babble_table(size), drift=random_drift(size), **about
    )


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Documents that are like the texts of that model: other ones of its own."""
    model = write_model(
        tmp_path / "other.onnx",
        letters(kind="word"),
        table=babble_table(30),
        drift=random_drift(30),
        max_new_tokens=8,
    )
    loaded = genrun.load(model)
    texts = texts_from_nothing(loaded, loaded.settings(decoder="temperature", seed=99), 300)
    (tmp_path / "lines.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return tmp_path / "lines.txt"


def asked(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_prints_a_line_a_table_and_a_verdict(babble: Path, lines: Path) -> None:
    result = asked(babble, lines, "--count", 200, "--training", lines)
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    assert shown[0].startswith("a classifier tells texts from documents with AUC 0.")
    assert shown[1].split() == ["texts", "documents"]
    assert shown[2].split() == ["number", "200", "200"]
    assert len(shown) >= 16
    assert "100.0 % of the documents are lines of the training corpus" in result.stdout
    assert result.stderr.startswith("temperature (temperature=1.0), seed 0, on cpu\nnext: genrun generate ")


def test_a_model_beside_texts_of_its_own_cannot_be_told_apart(babble: Path, lines: Path) -> None:
    found = json.loads(asked(babble, lines, "--count", 300, "--json").stdout)
    assert (found["decoder"], found["options"], found["seed"]) == ("temperature", {"temperature": 1.0}, 0)
    assert found["auc"] == pytest.approx(0.5, abs=0.1)
    assert (found["compared"], found["training_auc"], found["texts"]["training_lines"]) == (
        len(lines.read_text("utf-8").split("\n")) - 1 - lines.read_text("utf-8").splitlines().count(""),
        None,
        None,
    )


def test_the_same_seed_gives_the_same_report(babble: Path, lines: Path) -> None:
    reports = [asked(babble, lines, "--count", 150, "--seed", seed, "--json").stdout for seed in (4, 4, 5)]
    assert reports[0] == reports[1] != reports[2]


def test_the_decoder_and_its_options_can_be_chosen(babble: Path, lines: Path) -> None:
    found = json.loads(asked(babble, lines, "--count", 120, "--decoder", "top-k", "--set", "k=1", "--json").stdout)
    assert found["options"] == {"k": 1, "temperature": 1.0}
    assert found["auc"] > 0.95
    assert found["texts"]["distinct_1"] < 0.02


def test_short_forms_of_the_decoders_options_count_too(babble: Path, lines: Path) -> None:
    found = json.loads(asked(babble, lines, "--count", 120, "--top-k", 3, "--temperature", 0.5, "--json").stdout)
    assert (found["decoder"], found["options"]) == ("top-k", {"k": 3, "temperature": 0.5})
    chain = json.loads(asked(babble, lines, "--count", 120, "--decoder", "top-k:3,min-p", "--json").stdout)
    assert (chain["decoder"], chain["options"]) == ("top-k:k=3;temperature=1.0,min-p:p=0.05", {})


def test_a_decoder_that_cuts_nothing_is_not_advised_where_it_is_in_use(babble: Path) -> None:
    model = genrun.load(babble)
    assert draws_from_all(model.settings(decoder="temperature").decoder)
    for narrow in ({"decoder": "temperature", "temperature": 0.9}, {"decoder": "top-k"}, {"decoder": "greedy"}):
        assert not draws_from_all(model.settings(**narrow).decoder)


def test_options_go_to_the_reader_or_to_the_decoder_by_their_name(babble: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("title,x\na b,1\nc d e,2\n", "utf-8")
    given = ["--reader", "csv", "--set", "column=title", "--set", "temperature=0.5", "--set", "reader.encoding=ascii"]
    found = json.loads(asked(babble, tmp_path / "t.csv", *given, "--count", 10, "--json").stdout)
    assert found["options"] == {"temperature": 0.5}
    assert (found["documents"]["texts"], found["documents"]["length_median"]) == (2, 2.5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--set", "temprature=2"], genrun.OptionError, r"have no option 'temprature'; did you mean 'temperature'\?"),
        (["--decoder", "gredy"], genrun.UnknownPluginError, "did you mean 'greedy'"),
        (["--training", "nothere.txt"], genrun.CorpusError, "no such file, folder or match: 'nothere.txt'"),
        (["--plot", "nowhere/x.png"], genrun.OptionError, "there is no folder 'nowhere' for the plot"),
    ],
)
def test_what_is_not_accepted_is_one_line(
    babble: Path, lines: Path, arguments: list[str], error: type[Exception], message: str
) -> None:
    result = asked(babble, lines, "--count", 5, *arguments)
    assert isinstance(result.exception, error)
    with pytest.raises(error, match=message):
        raise result.exception


def test_a_corpus_without_documents_is_an_error_before_anything_is_generated(babble: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n", "utf-8")
    model = genrun.load(babble)
    made: list[object] = []
    with pytest.raises(genrun.CorpusError, match="no document found"):
        report_model(model, model.settings(seed=0), [str(tmp_path / "empty.txt")], count=3, advance=made.append)
    assert made == []


def test_a_model_that_cannot_begin_by_itself_is_one_line(tmp_path: Path, lines: Path) -> None:
    file = write_model(tmp_path / "m.onnx", words("a", "b", specials=["pad"]), suppress=["pad"])
    result = asked(file, lines)
    assert isinstance(result.exception, genrun.PromptError)
    assert "no <start>" in str(result.exception)


def test_a_large_corpus_is_sampled_and_each_text_is_counted(babble: Path, lines: Path) -> None:
    model = genrun.load(babble)
    made: list[genrun.Result] = []
    report = report_model(model, model.settings(seed=0), [str(lines)], count=50, advance=made.append)
    assert (report.documents.measures.texts, report.compared, len(made)) == (50, 50, 50)
    assert report.auc is None


def test_the_plot_is_drawn_beside_the_report(babble: Path, lines: Path, tmp_path: Path) -> None:
    result = asked(babble, lines, "--count", 20, "--plot", tmp_path / "report.png")
    assert result.exit_code == 0
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_a_real_model_beside_its_own_songs(samples: Path, songs_model: Path) -> None:
    model = genrun.load(songs_model)
    songs = [str(samples / "songs" / "*.txt")]
    settings = model.settings(seed=1)
    report = report_model(model, settings, songs, training=songs, reader=PluginChoice("lyrics-glob"), count=120)
    assert report.documents.training_lines == 1.0
    assert report.texts.training_lines is not None
    assert report.texts.training_lines < 1.0
    assert report.documents.copied_run == report.documents.measures.length_median
