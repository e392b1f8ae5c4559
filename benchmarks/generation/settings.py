"""What all figures are given, and what each returns: comparisons, the lines of the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Comparison", "Settings"]

_HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A line of the table: ours, theirs, and how many times theirs ours is (None where that says nothing).

    ``peer``: whose bar it is in the plot, empty for none.
    """

    what: str
    ours: str
    theirs: str
    ratio: float | None = None
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """``work``: where networks are kept; ``models``: files that are used instead of new ones, by the network's name.

    ``torch_python``: the interpreter that has torch; ``runtime_python``: the one whose whole processes are measured;
    ``threads``: of every program that generates; ``rounds``: how often each has its turn.
    """

    work: Path
    torch_python: str
    runtime_python: str
    threads: int
    rounds: int
    models: Mapping[str, Path]

    def model(self, shape: str, quantize: str | None = None) -> Path | None:
        """Return the model file of a shape, made in a process of its own; None if this genrun cannot make it."""
        name = f"{shape}-{quantize}" if quantize else shape
        file = self.models.get(name, self.work / f"{name}.onnx")
        if not file.exists():
            command = [sys.executable, "-m", "generation.networks", shape, str(self.work)]
            command += ["--quantize", quantize] if quantize else []
            if subprocess.run(command, cwd=_HERE, check=False).returncode and not quantize:
                raise RuntimeError(f"no network of the shape {shape} could be made; what went wrong stands above")
        return file if file.exists() else None
