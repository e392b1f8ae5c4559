"""Runs a campaign: files of one kind of damage, each opened and used within limits of time and memory.

    cd tests && python -m fuzz.campaign bytes 20000
    cd tests && python -m fuzz.campaign structure 5000 --seed 3 --keep FOLDER

The kinds are bytes, structure, metadata and operators. A file may work or be refused in one line; all else is a
finding, kept in FOLDER. The same seed makes the same files.
"""

from __future__ import annotations

import argparse
import collections
import json
import queue
import random
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.bases import base_files
from fuzz.damage import damaged_bytes, damaged_metadata, damaged_structure
from fuzz.operators import with_operator

__all__ = ["KINDS", "Findings", "run"]

KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": damaged_bytes,
    "structure": damaged_structure,
    "metadata": damaged_metadata,
    "operators": with_operator,
}
_SECONDS = 20.0
_MEBIBYTES = 1024.0
_HERE = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Findings:
    """How many files had which outcome, and a line for each that should not have had it."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)


class _Worker:
    """A process that uses files; it is replaced when it dies or takes too long."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def use(self, path: Path) -> str:
        """Return ``works``, ``refused``, or what went wrong."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended(process)
        ready, _, _ = select.select([process.stdout], [], [], _SECONDS)
        if not ready:
            self.close()
            return f"took more than {_SECONDS:.0f} s"
        line = process.stdout.readline()
        if not line:
            return self._ended(process)
        answer = json.loads(line)
        if answer["mebibytes"] > _MEBIBYTES:
            self.close()
            return f"used {answer['mebibytes']:.0f} MiB"
        return str(answer["outcome"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fuzz.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=_HERE,
            )
        return self._process

    def _ended(self, process: subprocess.Popen[str]) -> str:
        status = process.wait()
        self.close()
        return f"ended the process with {status}"


def run(kind: str, count: int, *, seed: int, keep: Path | None = None, workers: int = 2) -> Findings:
    """Make and use ``count`` files; those of findings are written to ``keep``."""
    findings, waiting, lock = Findings(), queue.SimpleQueue[int](), threading.Lock()
    for number in range(count):
        waiting.put(number)
    with tempfile.TemporaryDirectory() as temporary:
        bases = base_files(Path(temporary))

        def work(name: str) -> None:
            worker, path = _Worker(), Path(temporary) / f"{name}.onnx"
            try:
                while True:
                    number = waiting.get_nowait()
                    chance = random.Random(f"{kind} {seed} {number}")
                    content = KINDS[kind](chance.choice(bases), chance)
                    path.write_bytes(content)
                    outcome = worker.use(path)
                    with lock:
                        findings.outcomes[outcome if outcome in ("works", "refused") else "wrong"] += 1
                        if outcome not in ("works", "refused"):
                            findings.wrong.append(f"{kind} {seed} {number}: {outcome}")
                            if keep is not None:
                                (keep / f"{kind}-{seed}-{number}.onnx").write_bytes(content)
            except queue.Empty:
                pass
            finally:
                worker.close()

        threads = [threading.Thread(target=work, args=(f"case-{i}",)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return findings


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="the folder for files of findings")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    findings = run(
        arguments.kind, arguments.count, seed=arguments.seed, keep=arguments.keep, workers=arguments.workers
    )
    for line in findings.wrong[:50]:
        print(line)
    print(", ".join(f"{count:,} {outcome}" for outcome, count in sorted(findings.outcomes.items())))
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
