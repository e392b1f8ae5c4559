"""``genrun try``: from a file to ten texts with one command, again and again, and nothing of anyone else is lost."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from genrun_core.cli.train import command as train
from genrun_export.cli.try_command import command
from genrun_export.cli.trying import continued
from support.documentation import blocks_of

SMALL = ["--recipe", "ngram"]


@pytest.fixture
def poems(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of verse in the current folder."""
    songs = [path.read_text("utf-8") for path in sorted((samples / "songs").glob("*.txt"))]
    (tmp_path / "poems.txt").write_text("\n".join(songs), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "poems.txt"


def tried(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_one_command_goes_from_a_file_to_ten_texts(poems: Path) -> None:
    result = tried("poems.txt", *SMALL)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 10
    lines = result.stderr.splitlines()
    assert lines[0].startswith("116 documents, ")
    assert lines[2].startswith("as the model sees them: ")
    assert [line for line in lines if line.startswith("> ")] == [
        "> genrun train poems.txt -o poems --recipe ngram",
        "> genrun export poems -o poems.onnx",
        "> genrun generate poems.onnx -n 10 --seed 1",
    ]
    assert lines[-1].startswith("next: genrun generate poems.onnx ")
    assert (poems.parent / "poems.onnx").is_file()
    assert (poems.parent / "poems" / "run.toml").is_file()


def test_texts_of_several_lines_are_shown_with_their_lines(poems: Path) -> None:
    result = tried("poems.txt", *SMALL, "--set", "line_breaks=true", "--set", "documents=paragraphs")
    assert result.exit_code == 0, result.output
    assert "> genrun generate poems.onnx -n 10 --seed 1 --lines" in result.stderr.splitlines()
    assert len(result.stdout.split("\n\n")) > 10
    assert "\\n" not in result.stdout
    assert result.stderr.splitlines()[-1].endswith(" -n 5 --lines")


def test_two_lines_are_enough_and_more_epochs_are_a_command_away(poems: Path) -> None:
    (poems.parent / "two.txt").write_text("red fox\nblue sky\n", "utf-8")
    small = [part for size in ("epochs=1", "hidden_size=8", "embedding_size=8") for part in ("--set", size)]
    assert tried("two.txt", *small).exit_code == 0
    again = tried("two.txt", *small)
    assert again.exit_code == 0
    assert again.stderr.splitlines()[0] == (
        "two is trained already; its last epoch was the best, so more may help: "
        "genrun train --resume two --set epochs=2"
    )
    assert CliRunner().invoke(train, ["--resume", "two", "--set", "epochs=2"]).exit_code == 0
    for options in (small, []):  # the model file of one epoch is replaced by that of two
        further = tried("two.txt", *options)
        assert further.exit_code == 0, further.output
        made = "> genrun export two -o two.onnx" in further.stderr.splitlines()
        assert made == (options == small)


def test_a_column_becomes_a_label_of_the_texts(poems: Path) -> None:
    lines = [line for line in poems.read_text("utf-8").splitlines() if line]
    rows = [json.dumps({"text": line, "kind": ("sea", "land")[n % 2]}) for n, line in enumerate(lines)]
    (poems.parent / "lines.jsonl").write_text("\n".join(rows), "utf-8")
    small = [part for size in ("epochs=1", "hidden_size=8", "embedding_size=8") for part in ("--set", size)]
    result = tried("lines.jsonl", *small, "--label-column", "kind")
    assert result.exit_code == 0, result.output
    lines = result.stderr.splitlines()
    assert f"> genrun train lines.jsonl -o lines --label-column kind {' '.join(small)}" in lines
    assert lines[-1].startswith("next: genrun generate lines.onnx ")
    assert lines[-1].endswith((" --label kind=sea", " --label kind=land"))


def test_what_is_there_is_not_made_again_and_what_is_not_is(poems: Path) -> None:
    first = tried("poems.txt", *SMALL)
    model = (poems.parent / "poems.onnx").read_bytes()
    second = tried("poems.txt", *SMALL)
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert second.stderr.splitlines()[0] == "poems is trained already"
    assert (poems.parent / "poems.onnx").read_bytes() == model
    for name in ("poems/card.json", "poems/counting.npz", "poems.onnx"):  # as after a kill
        (poems.parent / name).unlink()
    again = tried("poems.txt", *SMALL)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert "> genrun train --resume poems\n" in again.stderr
    assert "> genrun export poems -o poems.onnx\n" in again.stderr


def test_what_is_not_ours_stays_and_the_error_says_what_to_do(poems: Path) -> None:
    (poems.parent / "other.txt").write_text("one two three\nfour five six\n" * 30, "utf-8")
    (poems.parent / "poems.onnx").write_text("mine")
    blocked = tried("poems.txt", *SMALL)
    assert "choose another name with -o" in str(blocked.exception)
    assert (poems.parent / "poems.onnx").read_text() == "mine"
    assert not (poems.parent / "poems").exists()
    assert tried("poems.txt", *SMALL, "-o", "verse.onnx").exit_code == 0
    for wrong, reason in (
        (("other.txt", *SMALL), "is a run of other texts"),
        (("poems.txt",), "is a run with other options"),
        (("poems.txt", *SMALL, "--set", "order=2"), "is a run with other options"),
    ):
        refused = tried(*wrong, "-o", "verse.onnx")
        assert reason in str(refused.exception)
    shutil.copy(poems.parent / "verse.onnx", poems.parent / "copy.onnx")
    assert tried("other.txt", *SMALL).exit_code == 0
    shutil.copy(poems.parent / "copy.onnx", poems.parent / "other.onnx")
    assert "is the model of another training" in str(tried("other.txt", *SMALL).exception)


def test_a_folder_gives_its_name_and_standard_input_needs_one(poems: Path) -> None:
    (poems.parent / "verse").mkdir()
    poems.rename(poems.parent / "verse" / "poems.txt")
    assert tried("verse", *SMALL).exit_code == 0
    assert (poems.parent / "verse-run.onnx").is_file()
    assert "name the output with -o" in str(tried("-", *SMALL).exception)


def test_a_model_that_cannot_begin_by_itself_gets_words_of_its_corpus(
    samples: Path, racetrack_run: Path, racetrack_model: Path
) -> None:
    from genrun_core.recipes.recipe import load_recipe
    from genrun_core.runs.run_folder import RunFolder

    corpus = samples / "racetrack.txt"
    assert isinstance(continued(racetrack_run, [str(corpus)], load_recipe("racetrack"), {}, None), RunFolder)
    result = tried(corpus, "--recipe", "racetrack", "-o", racetrack_model.with_name("run.onnx"))
    assert result.exit_code == 0, result.output
    assert set(corpus.read_text("utf-8").split()) >= set(" ".join(result.stdout.splitlines()).split())


@pytest.fixture
def fewer_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests hold what an export checks; here it takes most of the time."""
    monkeypatch.setattr("genrun_export.gate.prompts.PROMPTS", 4)
    monkeypatch.setattr("genrun_export.cli.try_command._COMPARED", 20)


@pytest.fixture
def piles(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the current folder, a small file of each kind that the page of first tries has, under its name."""
    monkeypatch.chdir(tmp_path)
    song = (samples / "songs" / "the_tide.txt").read_text("utf-8")
    lines = [line for line in song.splitlines() if line]
    with (samples / "headlines" / "ArticlesHarbour2024.csv").open(encoding="utf-8", newline="") as file:
        found = [row["headline"] for row in csv.DictReader(file) if row["headline"] != "Unknown"][:40]
    beginnings, endings = ["Ash", "Beck", "Elm", "Oak", "Win"], ["bury", "ford", "ham", "ton"]
    names = [beginning + ending for beginning, ending in itertools.product(beginnings, endings)]
    Path("verse.txt").write_text(song, "utf-8")
    Path("headlines.txt").write_text("\n".join(found), "utf-8")
    Path("names.txt").write_text("\n".join(names * 3), "utf-8")
    Path("stanzas.jsonl").write_text("\n".join(json.dumps({"text": line}) for line in lines), "utf-8")
    with Path("town.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["number", "headline"], *enumerate([*found, *["Unknown"] * 4])])
    Path("notes").mkdir()
    Path("notes", "tide.md").write_text("# The tide\n\n" + song.replace("\n", "\n\n"), "utf-8")


@pytest.mark.usefixtures("piles", "fewer_checks")
def test_each_kind_of_file_is_tried_as_the_page_shows(repository: Path) -> None:
    tiny = [*SMALL, "--set", "max_new_tokens=5"]
    shown = [block.text for block in blocks_of((repository / "docs" / "tries.md").read_text("utf-8"))]
    assert len(shown) == 6
    for transcript in shown:
        command = transcript.splitlines()[0].removeprefix("$ genrun try ").split()
        result = tried(*command, *tiny)
        assert result.exit_code == 0, result.output
        assert len(result.stdout.splitlines()) == 10

        def outline(text: str) -> list[str]:
            """The reader and its kind, the tokens, and each command, with what comes next."""
            text = re.sub(" --recipe ngram| --minutes 3| --set max_new_tokens=5", "", text)
            kept = r"^.*, read by the reader .*|tokens are .*|^> .*|^next: genrun generate \S+|'Unknown': .*"
            return list(dict.fromkeys(re.findall(kept, text, re.MULTILINE)))

        assert outline(result.stderr) == outline(transcript)
