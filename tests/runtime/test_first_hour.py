"""What the light commands tell a newcomer: a page about a model, the kind of a wrong file, tracebacks on demand."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import genrun
from genrun.cli.info_page import page
from genrun.cli.io.log_lines import showing_log
from genrun.cli.io.stages import Stages
from genrun.diagnosing.speed import other_load
from support.alphabet import write_model


def shell(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genrun", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env={**os.environ, **variables}, check=False
    )


WRONG = {
    "letter.txt": (b"Dear model,\n\xe2\x80\xa6 how are you?\n", "a text file"),
    "model.keras": (b"PK\x03\x04rest", "a zip archive"),
    "model.h5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file of Keras"),
    "model.onnx.gz": (b"\x1f\x8b\x08rest", "a gzip archive: unpack it first"),
    "picture.png": (b"\x89PNG\r\n", "a picture"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_model_is_named_for_what_it_is(name: str, tmp_path: Path) -> None:
    content, kind = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(genrun.ModelFileError) as caught:
        genrun.load(tmp_path / name)
    assert f"{name} is not a readable ONNX model: it is {kind}" in str(caught.value)
    assert "wire type" not in str(caught.value)


def test_a_page_has_no_raw_numbers_and_no_json() -> None:
    described: dict[str, dict[str, Any]] = {
        "training": {"loss": 0.9360103456, "weights": "ab12", "seed": 12345, "running text": True, "nothing": None},
        "generation": {"options": {"k": 40, "temperature": 0.8}, "stops at": ["<end>", "<x>"]},
        "file": {"bytes": 3_000_000},
        "empty": {"weights": ""},
    }
    assert list(page(described)) == [
        "training",
        "  loss in training  0.936",
        "  seed              12345",
        "  running text      yes",
        "generation",
        "  options   k 40, temperature 0.8",
        "  stops at  <end>, <x>",
        "file",
        "  size  2.9 MiB",
    ]


def test_a_traceback_is_shown_on_demand_and_changes_no_status(tmp_path: Path) -> None:
    (tmp_path / "letter.onnx").write_text("Dear model", "utf-8")
    plain = shell("info", tmp_path / "letter.onnx")
    debugged = shell("info", tmp_path / "letter.onnx", "--debug")
    assert (plain.returncode, debugged.returncode) == (1, 1)
    assert plain.stderr.count("\n") == 1
    assert debugged.stderr.startswith("Traceback (most recent call last):\n")
    assert debugged.stderr.endswith(plain.stderr)


def test_a_shell_completes_commands() -> None:
    asked = {"_GENRUN_COMPLETE": "bash_complete", "COMP_WORDS": "genrun tr", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[:] = ['genrun']; from genrun.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env={**os.environ, **asked}, check=False
    )
    assert done.stdout.split() == ["plain,train", "plain,try"]


def test_empty_texts_are_noted(tmp_path: Path) -> None:
    from genrun.cli.generate import command
    from support.alphabet import alphabet_table, letters

    file = write_model(tmp_path / "m.onnx", table=alphabet_table(letters()))
    result = CliRunner().invoke(command, [str(file), "", "b", "-q", "--stop", "a"])
    assert result.exit_code == 0, result.output
    assert result.stderr == "note: a text is empty\n"


def test_other_programs_are_noticed_as_far_as_the_system_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    times = tmp_path / "stat"
    monkeypatch.setattr(other_load, "_TIMES", times)
    times.write_text("cpu  100 0 100 5000 10 0 0 0 0 0\n", "ascii")
    load = other_load.OtherLoad()
    assert load.note() == ""
    times.write_text("cpu  90000100 0 100 5000 10 0 0 0 0 0\n", "ascii")
    assert load.note().startswith("other programs used ")
    times.unlink()
    assert (load.cores(), load.note()) == (None, "")


def test_stages_tell_where_a_command_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stages, "_LINE_SECONDS", 0.01)
    with Stages("exporting", lambda: 0.0) as stages:
        stages.begin("making the graph")
        assert stages.line() == "exporting (1: making the graph), a second so far"
        while "making the graph" not in (said := capsys.readouterr().err):
            pass
    assert said.splitlines()[-1] == stages.line()


def test_a_command_shows_the_log_and_leaves_it_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("genrun")
    before = (log.level, list(log.handlers))
    with showing_log():
        log.info("evaluating: %s so far", 30)
    log.info("not shown")
    assert capsys.readouterr().err == "evaluating: 30 so far\n"
    assert (log.level, list(log.handlers)) == before
