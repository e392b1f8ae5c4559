"""Words a second of genrun beside the tutorials' loop, on the network of the headlines."""

from __future__ import annotations

import sys
from statistics import median

from generation.networks import SHAPES
from generation.settings import Comparison, Settings
from generation.turns import Missing, Worker, take_turns

__all__ = ["run"]

WORDS = 40
LONGEST = 28  # words of the longest headline in ../shared/data/nyt


def run(settings: Settings) -> list[Comparison]:
    """Measure one text at a time, always the likeliest word, as the tutorials do."""
    shape = SHAPES["headlines"]
    ours = Worker("texts", (settings.model("headlines"), 1, WORDS, settings.threads, "greedy"))
    sizes = (shape.vocabulary, shape.embedding, shape.hidden)
    theirs = Worker("tutorial_loop", (*sizes, LONGEST, WORDS, settings.threads))
    try:
        rates = take_turns([ours, theirs], settings.rounds)
    except Missing as missing:
        print(f"without the tutorials' loop: {missing}", file=sys.stderr)
        return []
    return [
        Comparison(
            "headlines, batch 1, the likeliest word",
            f"{median(rates[0]):,.0f} words/s",
            f"{median(rates[1]):,.1f} words/s, the tutorials' loop ({theirs.about})",
            median(rates[0]) / median(rates[1]),
            "the tutorials' loop",
        )
    ]
