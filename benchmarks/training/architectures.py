"""A transformer (``examples/genrun-plugin-attention``) against the LSTM: perplexity at equal minutes, cost of a word.

Both train at the same time, so each has the same share of the machine for the same minutes. The plugin must be
installed: ``pip install ./examples/genrun-plugin-attention``.
"""

from __future__ import annotations

import csv
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from measuring import genrun

import genrun as library
from training.measure import Row, held_out

MINUTES = 4
_CHARACTERS = 200_000  # of tiny Shakespeare: an epoch of all of it does not fit into the minutes
_SAME = ["hidden_size=128", "embedding_size=128", "dropout=0.2", "tied=true"]
_HEADLINES = ["input_dropout=0.1", "embedding_dropout=0", "counting=false", "epochs=30"]
_CHARACTER_MODEL = ["running_text=true", "sequence_length=64", "learning_rate=0.003", "schedule=cosine"]
_ATTENTION = ["architecture=attention", "layers=2", "heads=4", "context=64"]
_ROUNDS = 41


def run(shared: Path, work: Path) -> list[Row]:
    """Train four models, two at a time; return their perplexities and what a word of the transformer costs."""
    shakespeare = work / "shakespeare.txt"
    text = (shared / "data" / "tinyshakespeare.txt").read_text("utf-8")[:_CHARACTERS]
    shakespeare.write_text(text, "utf-8")
    headlines = [shared / "data" / "nyt", "--reader", "nyt-csv", *_set(_HEADLINES)]
    characters = [shakespeare, "--recipe", "characters", *_set(_CHARACTER_MODEL)]
    rows = [
        _perplexities("headlines (nine months)", headlines, work, "headlines"),
        _perplexities(f"tiny Shakespeare, {_CHARACTERS:,} characters, by character", characters, work, "characters"),
    ]
    for name in ("headlines", "characters"):
        file = work / f"{name}-attention.onnx"
        genrun("export", work / f"{name}-attention", "-o", file)
        rows.append(_cost(file, name))
    return rows


def _set(values: list[str]) -> list[str]:
    return [argument for value in values for argument in ("--set", value)]


def _perplexities(what: str, arguments: list[Any], work: Path, name: str) -> Row:
    """Train both at once for the same minutes."""
    common = [*arguments, *_set(_SAME), "--minutes", MINUTES, "--no-texts"]

    def train(kind: str, own: list[str]) -> str:
        out = work / f"{name}-{kind}"
        genrun("train", *common, *_set(own), "-o", out)
        epoch, perplexity = held_out(out)
        with (out / "metrics.csv").open(encoding="utf-8") as file:
            took = sum(float(row["seconds"]) for row in csv.DictReader(file)) / 60
        size = json.loads((out / "card.json").read_text("utf-8"))["architecture"]["parameters"]
        return f"{kind} {perplexity:.2f} ({size:,} parameters, epoch {epoch}, {took:.1f} min)"

    with ThreadPoolExecutor(2) as both:
        attention, lstm = both.map(train, ("attention", "lstm"), (_ATTENTION, []))
    return Row(f"{what}: held-out perplexity", attention, lstm, "python -m training architectures")


def _cost(file: Path, name: str) -> Row:
    """Return what the second and the two-hundredth word take, and whether texts are the same alone and in a batch."""
    model = library.load(file, device="cpu", threads=1)
    session, taken = model._session, np.zeros((_ROUNDS, 200))
    for row in taken:
        states, tokens = session.initial_states(1), np.array([5])
        for place in range(len(row)):
            started = time.perf_counter()
            logits, states = session.step(tokens, states)
            row[place] = time.perf_counter() - started
            tokens = np.array([int(logits.argmax())])
    second, last = (1e6 * taken[:, at - 1].min() for at in (2, 200))  # what other programs disturb is left out
    prompts = ["The", "What", "A", ""] * 8
    wanted = {"seed": 7, "max_new_tokens": 30, "decoder": "top-k", "k": 40}
    together = [result.text for result in model.generate_many(prompts, batch_size=32, **wanted)]
    alone = [result.text for result in model.generate_many(prompts, batch_size=1, **wanted)]
    same = sum(a == b for a, b in zip(alone, together, strict=True))
    return Row(
        f"{name}, transformer: a step at the second and at the two-hundredth word",
        f"{second:.0f} µs and {last:.0f} µs; {same} of {len(prompts)} texts the same alone and in a batch",
        "equal; all",
        "python -m training architectures",
    )
