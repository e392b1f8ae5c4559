"""``genrun doctor``: what it prints, for people and for programs, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from genrun.cli.doctor import command
from genrun.diagnosing import doctor
from genrun.diagnosing.doctor import Finding
from support.distributions import Site

PROBLEM = Finding("problem", "cuda", "it is broken", "mend it")


@pytest.mark.parametrize(
    ("findings", "status", "end"),
    [
        ([Finding("ok", "python", "3.11"), Finding("note", "tf2onnx", "not installed")], 0, "nothing is wrong"),
        ([Finding("ok", "python", "3.11"), PROBLEM], 1, "1 problem"),
        ([PROBLEM, PROBLEM], 1, "2 problems"),
    ],
)
def test_the_command_prints_findings_and_its_status_is_1_if_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding], status: int, end: str
) -> None:
    monkeypatch.setattr(doctor, "diagnose", lambda: findings)
    result = CliRunner().invoke(command, [])
    assert result.exit_code == status
    *lines, last = result.stdout.splitlines()
    assert last == end
    assert [line.split()[0] for line in lines if "→" not in line] == [finding.level for finding in findings]
    assert sum(line.endswith("→ mend it") for line in lines) == findings.count(PROBLEM)
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == status
    assert [Finding(**json.loads(line)) for line in result.stdout.splitlines()] == findings


def test_the_doctor_as_a_shell_runs_it_survives_a_broken_plugin(installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d="print('hi'); import nothere")
    path = os.pathsep.join([str(installed.folder), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "genrun", "doctor", "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        cwd=Path(__file__).parent,
    )
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert {tuple(finding) for finding in findings} == {("level", "about", "message", "remedy")}
    [broken] = [finding for finding in findings if "acme" in finding["message"]]
    assert broken["level"] == "problem"
    assert broken["message"].endswith("failed to import: ModuleNotFoundError: No module named 'nothere'")
    assert "a model ran on the CPU" in {finding["message"] for finding in findings}
    assert (done.returncode, done.stderr) == (1, "")
