"""Tokens a second of genrun beside PyTorch, of int8 beside float32, and of the bare model, all in one run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from generation.networks import SHAPES, Shape
from generation.settings import Comparison, Settings
from generation.turns import Missing, Worker, take_turns

__all__ = ["run"]

BATCHES = (1, 64)
QUANTIZED = "lyricist"  # the network that is large enough to wait for memory


def run(settings: Settings) -> Iterator[Comparison]:
    """Measure each shape at each batch size."""
    for name, shape in SHAPES.items():
        for batch in BATCHES:
            yield from _compare(name, shape, batch, settings)


def _compare(name: str, shape: Shape, batch: int, settings: Settings) -> list[Comparison]:
    file = settings.model(name)
    small = settings.model(name, "int8") if name == QUANTIZED else None
    work = (batch, shape.tokens, settings.threads)
    ours = _texts(file, work)
    bare = Worker("bare_session", (file, *work))
    sizes = (shape.vocabulary, shape.embedding, shape.hidden, shape.layers)
    torch = Worker("torch_eager", (*sizes, *work), settings.torch_python)
    int8 = [_texts(small, work)] if small else []
    try:
        rates = take_turns([ours, torch, bare, *int8], settings.rounds)
    except Missing as missing:
        print(f"without PyTorch: {missing}; name another interpreter with --torch-python", file=sys.stderr)
        rates = take_turns([ours, bare, *int8], settings.rounds)
        rates.insert(1, [])
    where = f"{name}, batch {batch}"
    found = [_row(where, rates[0], rates[1], f"{torch.about} eager", "PyTorch")] if rates[1] else []
    found.append(_row(f"{where}: share of the bare model", rates[0], rates[2], "bare `session.run`"))
    if name == QUANTIZED and not small:
        print(f"without int8: no quantized file of {name} could be made", file=sys.stderr)
    for quantized in rates[3:]:
        found.append(_row(f"{where}, int8 beside float32", quantized, rates[0], "float32"))
        if rates[1]:
            found.append(_row(f"{where}, int8", quantized, rates[1], f"{torch.about} eager", "PyTorch"))
    return found


def _texts(file: Path | None, work: tuple[int, int, int]) -> Worker:
    return Worker("texts", (file, *work, "top-k"))


def _row(what: str, ours: Sequence[float], theirs: Sequence[float], whose: str, peer: str = "") -> Comparison:
    return Comparison(
        what,
        f"{median(ours):,.0f} tokens/s",
        f"{median(theirs):,.0f} tokens/s, {whose}",
        median(ours) / median(theirs),
        peer,
    )
