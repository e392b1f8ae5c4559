"""Opens and uses model files, one after another, and answers what came of each: JSON lines over pipes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import genrun
from genrun.errors import GenrunError

_LONGEST = 1_000  # characters of a message


def main() -> None:
    """Answer for each line of standard input, the path of a file."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
        answer = _use(line.strip())
        print(json.dumps({"outcome": answer, "mebibytes": _peak_mebibytes()}), file=answers, flush=True)


def _use(path: str) -> str:
    """Return ``works``, ``refused``, or what is wrong with how the file was treated."""
    try:
        model = genrun.load(path, device="cpu")
    except GenrunError as error:
        return _checked(error, "refused")
    except BaseException as error:
        return f"load raised {type(error).__name__}: {error}"
    uses: dict[str, Callable[[], object]] = {
        "generate": lambda: model.generate("i love", seed=1, max_new_tokens=6),
        "batch": lambda: model.generate_many(["i", "you .", "love , stop"] * 2, seed=1, max_new_tokens=4),
        "greedy": lambda: model.generate_many(["i", "you"], decoder="greedy", max_new_tokens=4),
        "drawn": lambda: list(model.stream("stop", decoder="temperature", seed=2, max_new_tokens=4)),
        "score": lambda: model.score("i love you ."),
        "suggest": lambda: model.suggest("i l"),
        "verify": lambda: genrun.verify(model),
        "about": lambda: json.dumps({**model.card}, allow_nan=False).encode(),
    }
    for name, use in uses.items():
        try:
            use()
        except GenrunError as error:
            if (said := _checked(error, "")) != "":
                return said
        except BaseException as error:
            return f"{name} raised {type(error).__name__}: {error}"
    return "works"


def _checked(error: GenrunError, outcome: str) -> str:
    message = str(error)
    if "\n" in message or len(message) > _LONGEST:
        return f"a message of {len(message):,} characters or many lines: {message[:200]}"
    return outcome


def _peak_mebibytes() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
