"""Measure how fast genrun generates, beside its peers, and write one table and one plot.

    cd benchmarks && python -m generation [FIGURE]… [--table FILE] [--plot FILE] [--torch-python PYTHON]

Each peer is a process of its own; they take turns, round after round, with as many threads and tokens each. With no
FIGURE all of them run, which takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from generation.networks import SHAPES
from generation.settings import Comparison, Settings

FIGURES = ("process", "rates", "tutorial")  # processes first: a parent's memory is counted as its children's


_NAME_CPU = "from genrun.diagnosing.speed.setup import cpu_name; print(cpu_name())"
_IDLE = 0.5  # the load average up to which a machine counts as idle


def main() -> None:
    """Run the figures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--torch-python", default=sys.executable, help="the interpreter with torch [this one]")
    parser.add_argument("--runtime-python", default=sys.executable, help="that of whole processes [this one]")
    parser.add_argument("--threads", type=int, default=2, help="of each program [%(default)s]")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each [%(default)s]")
    parser.add_argument(
        "--model", metavar="NAME=FILE", action="append", default=[], help="a file instead of a new one"
    )
    parser.add_argument("--work", type=Path, help="where networks are kept [a temporary folder]")
    parser.add_argument("--table", type=Path, help="where the table goes [only printed]")
    parser.add_argument("--plot", type=Path, help="where the plot goes, .svg or .png [none]")
    arguments = parser.parse_args()
    if unknown := set(arguments.figures) - set(FIGURES):
        parser.error(f"no figure {unknown.pop()!r}; there are {', '.join(FIGURES)}")
    names = {*SHAPES, *(f"{name}-int8" for name in SHAPES)}
    models = {name: Path(file).resolve() for name, _, file in (given.partition("=") for given in arguments.model)}
    if wrong := [name for name, file in models.items() if name not in names or not file.is_file()]:
        parser.error(f"--model takes NAME=FILE of one of {', '.join(sorted(names))}, not {wrong[0]!r}")
    comparisons: list[Comparison] = []
    lines = [_machine(arguments.threads), "", "| what | genrun | beside | ratio |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            work, arguments.torch_python, arguments.runtime_python, arguments.threads, arguments.rounds, models
        )
        for name in FIGURES:
            if arguments.figures and name not in arguments.figures:
                continue
            for comparison in importlib.import_module(f"generation.{name}").run(settings):
                comparisons.append(comparison)
                ratio = "" if comparison.ratio is None else f"{comparison.ratio:.2f}"
                lines.append(f"| {comparison.what} | {comparison.ours} | {comparison.theirs} | {ratio} |")
                print(lines[-1], flush=True)
            if arguments.table:
                arguments.table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if arguments.plot:
        from generation.plot import draw

        draw(comparisons, arguments.plot)


def _machine(threads: int) -> str:
    """Return where all was measured; say on stderr if others are working there."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > _IDLE:
        warning = "peers whose threads wait for one another suffer most, so ratios are too good"
        print(f"note: others are working on this machine (load {load:.1f}): {warning}", file=sys.stderr)
    # In a process of its own: this one stays small, since its memory is counted as that of its children.
    asked = subprocess.run([sys.executable, "-c", _NAME_CPU], capture_output=True, text=True, check=True)
    name = asked.stdout.strip()
    return f"{name}, {os.cpu_count()} cores; {threads} threads for each program; Python {platform.python_version()}"


if __name__ == "__main__":
    main()
