"""The curves of a training, as a picture that can be read by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw_curves"]

_MARKED = 40  # epochs; with more of them, a point for each is a blot


def draw_curves(
    history: Sequence[Mapping[str, float]],
    path: Path,
    *,
    title: str = "",
    best: int | None = None,
    counting: float | None = None,
) -> None:
    """Draw training and validation loss by epoch into a PNG file.

    ``best``: the number of the epoch that is kept, from 1; ``counting``: the perplexity of held-out documents by
    counting, drawn as a line to compare with.
    """
    from matplotlib.figure import Figure  # without pyplot: no display, no global state
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    epochs, marker = range(1, len(history) + 1), "." if len(history) < _MARKED else ""
    for name, label in (("loss", "training (with dropout)"), ("val_loss", "held-out documents")):
        if history and name in history[0]:
            axes.plot(epochs, [row[name] for row in history], marker=marker, label=label)
    if counting is not None:
        axes.axhline(math.log(counting), color="gray", linestyle=":", label="counting, on held-out documents")
    if best is not None:
        _mark_best(axes, history[best - 1], best, best / len(history))
    axes.set_title(title, fontsize="medium", parse_math=False)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats per token)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def _mark_best(axes: Any, row: Mapping[str, float], best: int, place: float) -> None:
    """Mark the epoch that is kept, at the ``place`` from 0 to 1 in the picture; its label stays within."""
    side = "right" if place > 0.8 else "left" if place < 0.2 else "center"
    loss = row.get("val_loss", row["loss"])
    axes.plot([best], [loss], marker="o", markersize=9, fillstyle="none", color="black", linestyle="")
    perplexity = f"\nperplexity {math.exp(loss):.1f}" if loss < 20 else ""
    axes.annotate(f"best: epoch {best}{perplexity}", (best, loss), (0, 14), textcoords="offset points", ha=side)
