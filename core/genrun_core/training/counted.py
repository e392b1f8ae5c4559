"""Counting instead of training: the run folder of an n-gram model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from genrun.errors import OptionError
from genrun_core.corpus.look import UNITS
from genrun_core.counting.counting_file import fingerprint, load_counting, save_counting
from genrun_core.counting.documents import Documents
from genrun_core.counting.model import CountingModel
from genrun_core.recipes.counting import unused_settings
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import write_bytes
from genrun_core.training.card import card_of, metrics_csv, metrics_in_words
from genrun_core.training.prepared import Prepared
from genrun_core.training.watch import Watch

__all__ = ["check_counted", "count_run", "counts"]

Say = Callable[[str], object]


def counts(recipe: Recipe) -> bool:
    """Return whether ``recipe`` makes an n-gram model, without a network."""
    return not recipe.model.plugin.trained


def check_counted(base: Path | None = None, epochs: int | None = None, watch: Watch = Watch()) -> None:  # noqa: B008
    """Raise OptionError for what only the training of a network has."""
    if base is not None:
        raise OptionError("--from trains a network further; for architecture=ngram there is --words-of RUN")
    if epochs is not None:
        raise OptionError("an n-gram model is counted once: it has no epochs")
    if watch != Watch():
        raise OptionError("--sample-every and --tensorboard follow epochs; architecture=ngram has none")


def count_run(prepared: Prepared, say: Say) -> None:
    """Do whatever the folder of an n-gram model still lacks."""
    run, recipe = prepared.run, prepared.recipe
    if unused := unused_settings(recipe):
        say(f"note: architecture=ngram makes no use of {', '.join(unused)}, which are for networks")
    complete = all(path.exists() for path in (run.counting_file, run.metrics_file, run.card_file))
    if complete and run.card()["training"].get("weights") == fingerprint(load_counting(run, recipe, run.tokenizer())):
        say("nothing to do: everything is counted")
        return
    model, row = _count(prepared)
    units = f"{model.entries:,} n-grams of 2 to {recipe.model.order} {UNITS[prepared.corpus.tokenizer.kind]}"
    say(f"{units}, counted in {row['seconds']:.1f} s")
    save_counting(run.counting_file, model)
    write_bytes(run.metrics_file, metrics_csv([row]))
    architecture = {"architecture": "ngram", "order": recipe.model.order, "ngrams": model.entries}
    card = card_of(run, recipe, prepared.corpus.counts, architecture, row, fingerprint(model))
    run.save_json(run.card_file, card)  # last: it says that all is there
    say(metrics_in_words(row))


def _count(prepared: Prepared) -> tuple[CountingModel, dict[str, float]]:
    """Return the model of the documents that are not held out, and its figures."""
    training, held_out = prepared.counted_documents()
    started = time.monotonic()
    model = training.count(prepared.corpus.tokenizer, prepared.recipe.model.order)
    seconds = time.monotonic() - started
    unknown = prepared.corpus.tokenizer.special("unk")
    row = _figures("", training, model, unknown)
    if len(held_out.numbers):
        row |= _figures("val_", held_out, model, unknown)
    return model, row | {"seconds": seconds}


def _figures(prefix: str, documents: Documents, model: CountingModel, unknown: int | None) -> dict[str, float]:
    """Return what an epoch of a network measures, but for the accuracy."""
    logs = model.score(*documents.joined())
    known = logs[documents.predicted() != unknown]
    row = {f"{prefix}loss": float(-logs.mean()), f"{prefix}perplexity": math.exp(-logs.mean())}
    return row if len(known) in (0, len(logs)) else row | {f"{prefix}known_perplexity": math.exp(-known.mean())}
