"""The command line from a corpus to a text, and what it says when something is wrong: one line, exit status 1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genrun.checks.installation import pip_line
from support import commands

LIMITED = 20_000  # bytes: enough for run.toml and the tokenizer, not for a checkpoint


def genrun(
    *arguments: object, input: str | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "genrun", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        input=input,
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
    )


def fails(*arguments: object, status: int = 1, **settings: object) -> str:
    """Run a command that must fail with one line on stderr and a status; return the line."""
    done = genrun(*arguments, **settings)  # type: ignore[arg-type]
    return error_of(done, status)


def error_of(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Return the one error of a command that failed."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    *notes, line = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert not [note for note in notes if note.startswith("error")]
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_from_three_sentences_to_the_same_three_sentences(samples: Path, tmp_path: Path) -> None:
    trained = commands.run("train", samples / "racetrack.txt", "--recipe", "racetrack", "-o", tmp_path / "run")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == f"{tmp_path / 'run'}\n"
    assert "3 rows in 1 file: 3 documents\nvocabulary 12: all 11 distinct words\n" in trained.stderr
    assert (
        "14 words, 11 predictions an epoch; tokens in a document: median 5, 95% up to 6, longest 6" in trained.stderr
    )
    model = tmp_path / "racetrack.onnx"
    exported = commands.run("export", tmp_path / "run", "-o", model)
    assert exported.returncode == 0, exported.stderr
    assert "all 1,892 weights as trained; in 214 steps with all 12 tokens, " in exported.stderr
    assert exported.stdout == f"{model}\n"
    for prompt, count, text in (
        ("경마장에", 4, "경마장에 있는 말이 뛰고 있다"),
        ("그의", 2, "그의 말이 법이다"),
        ("가는", 5, "가는 말이 고와야 오는 말이 곱다"),
    ):
        generated = genrun("generate", model, prompt, "--decoder", "greedy", "--max-new-tokens", count)
        assert (generated.returncode, generated.stdout) == (0, f"{text}\n"), generated.stderr


def test_songs_begin_with_or_without_start_and_show_no_special_token(songs_model: Path) -> None:
    asked = ("generate", songs_model, "<start> i love", "i love", "", "-n", 8, "--seed", 3, "--json")
    lines = genrun(*asked).stdout.splitlines()
    results = [json.loads(line) for line in lines]
    assert len(results) == 24
    assert [r["text"] for r in results[:8]] == [r["text"] for r in results[8:16]]
    assert all(r["text"].startswith("i love") for r in results[:16])
    assert {r["finish_reason"] for r in results} <= {"end", "length"}
    assert all(len(r["ids"]) <= 20 for r in results)
    assert not [r for r in results if "<" in r["text"]]
    assert "end" in {r["finish_reason"] for r in results}


@pytest.fixture
def wrong(tmp_path: Path, racetrack_model: Path) -> Path:
    """A folder of things that are not what they should be."""
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "empty.txt").write_text("\n \n\n", "utf-8")
    (tmp_path / "no-headline.csv").write_text("title,body\na,b\n", "utf-8")
    (tmp_path / "korean.txt").write_bytes("여기\n저기\n".encode("euc-kr"))
    (tmp_path / "letter.onnx").write_text("Dear model, …", "utf-8")
    content = racetrack_model.read_bytes()
    (tmp_path / "truncated.onnx").write_bytes(content[: len(content) // 2])
    newer = content.replace(b"genrun.format_version\x12\x011", b"genrun.format_version\x12\x019")
    assert newer != content
    (tmp_path / "newer.onnx").write_bytes(newer)
    return tmp_path


OPTIONS = {  # wrong usage, status 2; the other cases are about the data, status 1
    *("unknown encoding", "unknown recipe", "unknown reader", "unknown option", "bad option value", "no value"),
    *("reader without its column", "unknown decoder", "temperature 0", "temperature below 0", "k below 1"),
    *("k of words", "no new tokens", "negative seed", "unknown device", "unknown casing", "empty stop"),
}

TRAIN: dict[str, tuple[list[str], str]] = {
    "missing file": (["nowhere.txt"], "no such file, folder or match: 'nowhere.txt'"),
    "folder without CSVs": (["empty-folder", "--reader", "nyt-csv"], "Articles"),
    "CSV without the column": (["no-headline.csv", "--reader", "nyt-csv"], "no-headline.csv"),
    "empty corpus": (["empty.txt"], "no document"),
    "wrong encoding": (["korean.txt"], "korean.txt:1: byte 0xbf is not utf-8"),
    "unknown encoding": (["korean.txt", "--set", "encoding=klingon"], "encoding 'klingon' is not a text encoding"),
    "unknown recipe": (
        ["korean.txt", "--recipe", "lyricst"],
        "unknown recipe 'lyricst' (a name, or a file that ends in .toml); did you mean 'lyricist'?",
    ),
    "unknown reader": (["korean.txt", "--reader", "nyt"], "unknown reader 'nyt'; did you mean 'nyt-csv'?"),
    "unknown option": (["korean.txt", "--set", "hiddensize=3"], "did you mean 'hidden_size'?"),
    "bad option value": (["korean.txt", "--set", "epochs=soon"], "epochs must be a whole number, not 'soon'"),
    "no value": (["korean.txt", "--set", "epochs"], "--set takes key=value, not 'epochs'"),
    "reader without its column": (
        ["no-headline.csv", "--reader", "csv"],
        "the column is not named; it has 'title', 'body'",
    ),
}


@pytest.mark.parametrize("case", TRAIN)
def test_train_says_what_is_wrong_and_leaves_nothing(case: str, wrong: Path) -> None:
    arguments, message = TRAIN[case]
    assert message in fails("train", *arguments, "-o", "run", folder=wrong, status=2 if case in OPTIONS else 1)
    assert not (wrong / "run").exists()


GENERATE: dict[str, tuple[list[str], str]] = {
    "missing model": (["nowhere.onnx", "x"], "nowhere.onnx: cannot open the model file: No such file or directory"),
    "text file as model": (["letter.onnx", "x"], "letter.onnx is not a readable ONNX model"),
    "truncated model": (["truncated.onnx", "x"], "truncated.onnx is not a readable ONNX model"),
    "newer format": (["newer.onnx", "x"], "newer.onnx has model format 9; this genrun reads formats up to 1"),
    "folder as model": (["empty-folder", "x"], "empty-folder is a folder, not a model file"),
    "unknown decoder": (
        ["MODEL", "그의", "--decoder", "topk"],
        "unknown decoder 'topk'; did you mean 'top-k' or 'top-p'?",
    ),
    "temperature 0": (["MODEL", "그의", "--decoder", "temperature", "--set", "temperature=0"], "above 0, not 0.0"),
    "temperature below 0": (["MODEL", "그의", "--decoder", "top-k", "--set", "temperature=-1"], "above 0, not -1.0"),
    "k below 1": (["MODEL", "그의", "--decoder", "top-k", "--set", "k=0"], "k must be 1 or more, not 0"),
    "k of words": (["MODEL", "그의", "--decoder", "top-k", "--set", "k=few"], "k must be a whole number, not 'few'"),
    "unknown option": (["MODEL", "그의", "--set", "k=3"], "decoder 'greedy' has no option 'k'"),
    "empty prompt": (["MODEL", ""], "the prompt is empty and this model has no <start>"),
    "no prompt": (["MODEL"], "the prompt is empty and this model has no <start>"),
    "all words unknown": (["MODEL", "hello you"], "no word of the prompt 'hello you' is in the model's vocabulary"),
    "no new tokens": (["MODEL", "그의", "--max-new-tokens", "0"], "max_new_tokens must be a whole number from 1"),
    "negative seed": (["MODEL", "그의", "--seed", "-1"], "seed must be a whole number from 0"),
    "unknown device": (["MODEL", "그의", "--device", "tpu"], "unknown device 'tpu'; accepted: auto, cpu, cuda"),
    "unknown casing": (["MODEL", "그의", "--casing", "tilte"], "unknown casing 'tilte'; did you mean 'title'?"),
    "empty stop": (["MODEL", "그의", "--stop", ""], "a stop text must not be empty"),
}


@pytest.mark.parametrize("case", GENERATE)
def test_generate_says_what_is_wrong(case: str, wrong: Path, racetrack_model: Path) -> None:
    arguments, message = GENERATE[case]
    arguments = [str(racetrack_model) if argument == "MODEL" else argument for argument in arguments]
    assert message in fails("generate", *arguments, folder=wrong, status=2 if case in OPTIONS else 1)


def test_cuda_without_cuda_is_an_error_with_the_reason(racetrack_model: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime can use CUDA")
    line = fails("generate", racetrack_model, "그의", "--device", "cuda")
    assert line.startswith("device 'cuda' cannot be used: the installed onnxruntime")
    assert line.endswith(f"pip uninstall -y onnxruntime && {pip_line('gpu')}")


@pytest.mark.parametrize("arguments", [["export", "empty-folder", "-o", "x.onnx"], ["train", "--resume", "nowhere"]])
def test_a_folder_that_is_no_run_folder_is_named(arguments: list[str], wrong: Path) -> None:
    assert "is not a run folder" in fails(*arguments, folder=wrong)
    assert not (wrong / "x.onnx").exists()


Place = Callable[[Path], Path]
READ_ONLY: list[Place] = [lambda folder: Path("/proc/genrun-run"), lambda folder: folder / "empty.txt" / "run"]


@pytest.mark.parametrize("place", READ_ONLY, ids=["read-only folder", "below a file"])
def test_a_place_that_cannot_be_written_is_named(place: Place, wrong: Path, samples: Path) -> None:
    target = place(wrong)
    assert str(target) in fails("train", samples / "racetrack.txt", "--recipe", "racetrack", "-o", target)


def test_a_full_disk_during_training_leaves_a_run_that_can_be_continued(samples: Path, tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk: the checkpoint does not fit, what came before does."""
    run = tmp_path / "run"
    asked = ("train", samples / "racetrack.txt", "--recipe", "racetrack", "--set", "epochs=20", "-o", run)
    line = error_of(commands.run(*asked, limit_file_size=LIMITED))
    assert line.startswith(str(run))
    assert line.endswith("File too large")
    assert not [path for path in run.rglob("*") if ".partial" in path.name]
    assert commands.run("train", "--resume", run).returncode == 0
    assert (run / "card.json").exists()


def test_a_full_disk_during_export_leaves_nothing(racetrack_run: Path, tmp_path: Path) -> None:
    done = commands.run("export", racetrack_run, "-o", tmp_path / "model.onnx", limit_file_size=4_000)
    assert "File too large" in error_of(done)
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_is_status_2(tmp_path: Path) -> None:
    for arguments in (["train"], ["train", "x.txt"], ["generate"], ["train", "--resume", "run", "x.txt"], ["trian"]):
        done = genrun(*arguments, folder=tmp_path)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert "did you mean 'train'" in done.stderr
