"""The benchmarks work, on models of a few numbers; what they measure is not looked at."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import genrun
from support.alphabet import babble_table, letters, random_drift, words, write_model


@pytest.fixture
def benchmarks(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that benchmarks are run in, and imported from."""
    folder = repository / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write_babble(path: Path, **about: Any) -> Path:
    size = len(letters())
    return write_model(path, table=babble_table(size), drift=random_drift(size), choosing=True, **about)


def gpu_check(benchmarks: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(benchmarks / "gpu_check.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_a_model_holds_on_the_cpu_against_the_cpu(benchmarks: Path, tmp_path: Path) -> None:
    files = [write_babble(tmp_path / "one.onnx"), write_babble(tmp_path / "two.onnx", decoder="top-k")]
    done = gpu_check(benchmarks, *files, "--device", "cpu", "--batch", 1, 3, "--seconds", 0.01)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "|" in line][2:]
    for file in files:
        found = {what: (figure, holds) for name, what, figure, holds in rows if name == file.name}
        assert found["largest difference of logits from the CPU's"] == ("0", "yes")
        assert found["texts of one seed that are the same on the CPU"] == ("64 of 64", "")
        tied = "texts that top-k chooses alike in the graph and in NumPy, with tied logits"
        assert found[tied] == ("64 of 64", "yes")
        assert "tokens/s" in found["batch 3"][0]
    assert "NO" not in {row[3] for row in rows}


def test_a_gpu_that_cannot_be_used_is_one_line_and_status_1(benchmarks: Path, tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime is for GPUs")
    done = gpu_check(benchmarks, write_babble(tmp_path / "m.onnx"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: device 'cuda' cannot be used: ")
    assert done.stderr.count("\n") == 1


def test_a_tied_copy_has_logits_in_three_groups(benchmarks: Path, tmp_path: Path) -> None:
    file, tied = write_babble(tmp_path / "m.onnx"), tmp_path / "tied.onnx"
    tied.write_bytes(import_module("tied_logits").with_tied_logits(file.read_bytes(), len(letters())))
    session = genrun.load(tied, device="cpu")._session
    _, states = session.step(np.array([5]), session.initial_states(1))
    logits, _ = session.step(np.array([5]), [state + 1 for state in states])
    assert logits[0].tolist() == [float(i % 3) for i in range(len(letters()))]


def test_subwords_come_back_with_the_ids_of_the_library(
    benchmarks: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_module("subwords").main([str(samples / "racetrack.txt"), "--size", "300"]) == 0
    learnt, speed, same = capsys.readouterr().out.splitlines()
    assert "subwords of 14 words, learnt in" in learnt
    assert "words/s" in speed
    count = same.split()[0]
    assert same.startswith(f"{count} of {count} lines come back; ")


def test_calls_that_meet_have_the_texts_of_one_call(
    benchmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    meeting = import_module("meeting")
    monkeypatch.setattr(meeting, "_MOST", float("inf"))
    monkeypatch.setattr(sys, "argv", ["meeting.py", str(write_babble(tmp_path / "m.onnx")), "--rounds", "1"])
    assert meeting.main() == 0
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows == ["| calls", "| one_call", "| many_calls", "| scheduled"]


def test_workers_take_turns_and_make_as_many_tokens_each(benchmarks: Path, tmp_path: Path) -> None:
    turns = import_module("generation.turns")
    tokenizer = words("how", "now", "cow", specials=["pad"])
    file = write_model(tmp_path / "m.onnx", tokenizer, table=babble_table(4), suppress=["pad"], choosing=True)
    ours, bare = turns.Worker("texts", (file, 2, 5, 1, "top-k")), turns.Worker("bare_session", (file, 2, 5, 1))
    rates = turns.take_turns([ours, bare], 3)
    assert [len(found) for found in rates] == [3, 3]
    assert all(rate > 0 for found in rates for rate in found)
    assert (ours.about, bare.about) == (f"genrun {genrun.__version__}", f"onnxruntime {onnxruntime.__version__}")
    with pytest.raises(RuntimeError, match=r"different numbers of tokens: \[10, 8\]"):
        turns.take_turns([ours, turns.Worker("bare_session", (file, 2, 4, 1))], 1)


def test_a_peer_that_is_not_installed_is_told_and_no_crash(
    benchmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    turns = import_module("generation.turns")
    with pytest.raises(turns.Missing, match="has no torch"):
        turns.take_turns([turns.Worker("torch_eager", (5, 2, 2, 1, 1, 1, 1))], 1)


def test_texts_of_every_decoder_stand_beside_training_lines_and_a_missing_peer_is_told(
    benchmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = import_module("texts")
    model = write_babble(tmp_path / "m.onnx")
    (tmp_path / "train.txt").write_text("how now\nbrown cow\n" * 60, "utf-8")
    (tmp_path / "held.txt").write_text("now how\ncow brown\n" * 60, "utf-8")
    monkeypatch.setitem(sys.modules, "markovify", None)
    arguments = [str(model), str(tmp_path / "held.txt"), "--training", str(tmp_path / "train.txt"), "--count", "110"]
    monkeypatch.setattr(sys, "argv", ["texts.py", *arguments])
    texts.main()
    printed = capsys.readouterr().out.splitlines()
    rows = {cells[1]: cells[2:-1] for line in printed if (cells := [cell.strip() for cell in line.split("|")])[1:]}
    assert {"the model's own: Greedy()", "Temperature(temperature=1.0)", "training lines", "the documents"} <= set(
        rows
    )
    assert len({len(cells) for cells in rows.values()}) == 1
    assert rows["Greedy()"][0] == "1.00"
    assert rows["the documents"][1:3] == ["0.0 %", "1"]
    assert printed[-1].startswith("markovify is left out: ")


def test_the_plot_is_a_small_file_with_a_bar_for_each_peer(benchmarks: Path, tmp_path: Path) -> None:
    plot, comparison = import_module("generation.plot"), import_module("generation.settings").Comparison
    compared = [
        comparison("one", "9/s", "3/s", 3.0, "PyTorch"),
        comparison("two", "1/s", "2/s", 0.5, "PyTorch"),
        comparison("three", "9 s", "3 s", 3.0),
    ]
    plot.draw(compared, tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text("utf-8")
    assert len(drawn) < 40_000
    for text in (">one<", ">two<", "3×", "0.5×", ">beside PyTorch<"):
        assert text in drawn
    assert ">three<" not in drawn
