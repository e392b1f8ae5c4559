"""The benchmark of the server works; what it measures is not looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_texts_of_the_benchmark_are_those_of_the_library(repository: Path, endless_file: Path) -> None:
    command = [sys.executable, repository / "benchmarks" / "serving.py", endless_file]
    options = ["--clients", "4", "--tokens", "6", "--rounds", "2"]
    done = subprocess.run([*map(str, command), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 texts are the same" in done.stdout
