"""The curves of a training, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw_curves"]


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw training and validation loss by epoch into a PNG file."""
    from matplotlib.figure import Figure  # without pyplot: no display, no global state
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(history) + 1)
    for name, label in (("loss", "training"), ("val_loss", "validation")):
        if history and name in history[0]:
            axes.plot(epochs, [row[name] for row in history], marker="." if len(history) < 40 else "", label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats per token)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
