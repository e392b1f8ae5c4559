"""What is off about a finished training, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["result_notes"]

_LEARNT_BY_HEART = 1.5  # times that the held-out loss is above the training loss, which includes dropout


def result_notes(history: Sequence[Mapping[str, float]], best: int) -> Iterator[str]:
    """Yield notes about the epochs of a training, of which number ``best`` is kept.

    >>> rows = [{"loss": 5.0, "val_loss": 5.1}, {"loss": 4.0, "val_loss": 5.3}, {"loss": 3.0, "val_loss": 5.6}]
    >>> list(result_notes(rows, 1))[0].partition(":")[0]
    'the first epoch was the best, so the network has hardly learnt'
    """
    row = history[best - 1]
    if best == 1 and len(history) > 1:
        yield (
            "the first epoch was the best, so the network has hardly learnt: there may be too little text; try more "
            "of it, a smaller learning_rate, or --recipe characters"
        )
    elif best == len(history) > 1 and "val_loss" in row and history[-2]["val_loss"] - row["val_loss"] > 0.02:
        yield "the last epoch was the best by far, so more of them may help: --resume … --set epochs=…"
    elif "val_loss" in row and row["val_loss"] > _LEARNT_BY_HEART * row["loss"]:
        yield "held-out documents are predicted much worse than those that were learnt: try more dropout or more text"
