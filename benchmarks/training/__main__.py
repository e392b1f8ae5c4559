"""Measure what training promises and write one table.

    cd benchmarks && python -m training [FIGURE]… [--shared ../../shared] [--work DIR] [--table FILE]

Each figure stands beside its yardstick, measured in the same run where the yardstick is a program. With no FIGURE all
of them run, which takes about two hours on two cores.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from pathlib import Path

from training.measure import Row

FIGURES = (
    *("speed", "memory", "large_networks", "workers", "kills", "fine_tuning", "architectures", "quality"),
    "penn_treebank",
)


def main() -> None:
    """Run the figures that were asked for."""
    here = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--shared", type=Path, default=here.parent.parent / "shared", help="corpora and yardsticks")
    parser.add_argument("--work", type=Path, help="where runs are kept [a temporary folder]")
    parser.add_argument("--table", type=Path, help="where the table goes [only printed]")
    arguments = parser.parse_args()
    if not arguments.shared.is_dir():
        parser.error(f"{arguments.shared} is not there; name the folder with data/ and bench/ with --shared")
    if unknown := set(arguments.figures) - set(FIGURES):
        parser.error(f"no figure {unknown.pop()!r}; there are {', '.join(FIGURES)}")
    lines = ["| what | figure | against | command |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name in arguments.figures or FIGURES:
            rows: list[Row] = importlib.import_module(f"training.{name}").run(
                arguments.shared.resolve(), work.resolve()
            )
            for row in rows:
                lines.append(f"| {row.what} | {row.figure} | {row.against} | `{row.command}` |")
                print(lines[-1], flush=True)
            if arguments.table:
                arguments.table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
