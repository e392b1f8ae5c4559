"""Nothing leaves the machine, and nothing is kept in the home folder: onnxruntime's telemetry is off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_GENERATED = """
import os, sys, genrun
genrun.load(sys.argv[1], device="cpu").generate("a", max_new_tokens=3, seed=1)
print(os.environ["ORT_DISABLE_TELEMETRY"])
"""
_NOT_ASKED = ("ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "TF_BUILD", "PYTEST_CURRENT_TEST")


def generated(model: Path, home: Path, **more: str) -> str:
    """Return what a program prints that generates a text, in a home folder of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_ASKED}
    environment = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), **more}
    command = [sys.executable, "-c", _GENERATED, str(model)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_a_text_is_generated_without_a_trace(alphabet_file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert generated(alphabet_file, home) == "1"
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("value", ["0", "1"])
def test_what_the_environment_says_stands(alphabet_file: Path, tmp_path: Path, value: str) -> None:
    assert generated(alphabet_file, tmp_path, ORT_DISABLE_TELEMETRY=value) == value
