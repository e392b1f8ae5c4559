"""How much better than counting a network is, on the documents that its training held out."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genrun_core.counting.documents import Documents
from genrun_core.recipes.counting import choose_order
from genrun_core.training.batches import split_documents
from genrun_core.training.prepared import Prepared

__all__ = ["compare_with_counting"]

_MOST = 5_000_000  # tokens that are counted in a few seconds


def compare_with_counting(prepared: Prepared, row: Mapping[str, float]) -> str:
    """Count the documents that were trained on; return a line that compares it with the epoch ``row``.

    Both predict the same tokens of the same documents. The figures go into the card. Without documents held out,
    the line is empty.
    """
    if "val_perplexity" not in row:
        return ""
    run, recipe, corpus = prepared.run, prepared.recipe, prepared.corpus
    shards, settings, tokenizer = corpus.shards, recipe.training, corpus.tokenizer
    if len(shards.ids) > _MOST:
        return f"not compared with counting: that takes long for more than {_MOST:,} tokens"
    parts = split_documents(len(shards), settings.validation, settings.seed, contiguous=settings.running_text)
    training, held_out = (Documents(shards, part, settings.running_text) for part in parts)
    order = choose_order(tokenizer.kind, len(shards.ids) - len(shards))
    counted = math.exp(held_out.loss(training.count(tokenizer, order)))
    run.save_json(run.card_file, {**run.card(), "counting": {"order": order, "perplexity": round(counted, 6)}})
    network = row["val_perplexity"]
    how = "--recipe ngram"
    if recipe.name != "default":
        how = "--set architecture=ngram" + (f" --set order={order}" if order != recipe.model.order else "")
    verdict = f"{how} does better here" if counted < network else f"{1 - network / counted:.0%} less"
    return (
        f"counting alone (Kneser-Ney, order {order}) predicts the held-out documents with perplexity {counted:.1f}; "
        f"this network {network:.1f}: {verdict}"
    )
