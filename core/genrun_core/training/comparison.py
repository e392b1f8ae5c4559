"""What counting is worth beside a network, on the documents that its training held out: alone, and mixed with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting import fit_mixture, prune
from genrun_core.counting.counting_file import Mixed, save_mixed
from genrun_core.counting.documents import Documents
from genrun_core.counting.pruning import ENTRIES, MIXED_WIDTHS
from genrun_core.recipes.counting import choose_order
from genrun_core.training.prepared import Prepared

if TYPE_CHECKING:
    from genrun_core.evaluation.evaluation import Scorer

__all__ = ["Comparison", "compare_with_counting"]

_MOST = 20_000_000  # tokens, which are counted in less than a minute
_MEASURED = 100_000  # predictions of held-out documents that decide about a mixture
_MEASURED_RUNNING = 20_000  # of a running text, which is read token by token
_CLEARLY = 0.99  # a perplexity that is lower by less than this is not called better
_BLOCK = 200  # predictions of a running text that stand for a document


@dataclass(frozen=True, slots=True)
class Comparison:
    """Held-out perplexities of counting and of the network, and what to say about them.

    ``mixed``: of the mixture, None where there is none. ``figures`` are for the card.
    """

    figures: Mapping[str, Any]
    lines: tuple[str, ...]
    mixed: float | None = None


def compare_with_counting(prepared: Prepared, row: Mapping[str, float], network: Scorer, weights: str) -> Comparison:
    """Count the documents that were trained on, and compare with the epoch ``row`` of the best ``network``.

    Both predict the same tokens of the same documents. With ``counting`` in the recipe, the mixture of both is
    written into the run folder where it predicts better; ``weights`` is the fingerprint of the network's weights.
    """
    run, recipe, corpus = prepared.run, prepared.recipe, prepared.corpus
    run.counting_file.unlink(missing_ok=True)  # of another epoch
    if "val_perplexity" not in row:
        wanted = "note: counting=true needs documents held out, to find how much it helps: validation=0.1"
        return Comparison({}, (wanted,) if recipe.model.counting else ())
    if len(corpus.shards.ids) > _MOST:
        line = f"not compared with counting: that takes long for more than {_MOST:,} tokens"
        return Comparison({}, (line,))
    trained, held_out = prepared.counted_documents()
    kind, tokens = corpus.tokenizer.kind, len(corpus.shards.ids) - len(corpus.shards)
    order = recipe.model.order if recipe.model.counting else choose_order(kind, tokens)
    if recipe.model.counting:  # both are measured on the same part
        held_out = held_out.some(_MEASURED_RUNNING if held_out.running_text else _MEASURED)
    model = trained.count(corpus.tokenizer, order)
    known = held_out.predicted() != corpus.tokenizer.special("unk")
    logs = model.score(*held_out.joined())
    counted = math.exp(-logs.mean())
    alone = row["val_perplexity"]
    figures: dict[str, Any] = {"counting": {"order": order, **_perplexities(logs, known)}}
    line = f"counting alone (Kneser-Ney, order {order}) predicts the held-out documents with perplexity {counted:.1f}"
    if not recipe.model.counting:
        verdict = (
            f"{_how(prepared, order)} does better here" if counted < alone else f"{1 - alone / counted:.0%} less"
        )
        return Comparison(figures, (f"{line}; this network {alone:.1f}: {verdict}",))
    model = prune(model, longest_row=MIXED_WIDTHS[: order - 1], entries=ENTRIES)
    of_network, of_counts = _scored(network, held_out), model.counted(*held_out.joined())
    alone = math.exp(-of_network.mean())
    line += f"; this network {alone:.1f}"
    mixture = fit_mixture(of_network, of_counts, _documents(held_out), levels=order)
    if mixture is None:
        return Comparison(figures, (f"{line}; mixing both predicts no better: the network stays alone",))
    save_mixed(run.counting_file, Mixed(model, mixture, weights))
    perplexity = math.exp(-mixture.mixed)
    mixed = _perplexities(mixture.mix(of_network, of_counts), known)
    figures["mixture"] = {**mixed, "perplexity": round(perplexity, 6), "ngrams": model.entries}
    line = f"{line}; the model mixes both: {perplexity:.1f}"
    by_counts, by_both = (found.get("known_perplexity", math.inf) for found in (figures["counting"], mixed))
    if by_counts < _CLEARLY * by_both:  # by what is written: no unknown words
        line += f", and {_how(prepared, order)} does better here (or a longer training)"
    elif perplexity < _CLEARLY * min(alone, counted):
        line += f", {1 - perplexity / min(alone, counted):.0%} below the better one"
    return Comparison(figures, (line,), perplexity)


def _how(prepared: Prepared, order: int) -> str:
    recipe = prepared.recipe
    if recipe.name == "default":
        return "--recipe ngram"
    return "--set architecture=ngram" + (f" --set order={order}" if order != recipe.model.order else "")


def _documents(held_out: Documents) -> NDArray[np.int64]:
    """Return the document of each prediction, or the block of a running text, int64 ``[predictions]``."""
    sizes = np.maximum(np.diff(held_out.joined()[1]) - 1, 0)
    if held_out.running_text:
        return np.arange(sizes.sum()) // _BLOCK
    return np.repeat(np.arange(len(sizes)), sizes)


def _scored(network: Scorer, documents: Documents) -> NDArray[np.float64]:
    ids, offsets = documents.joined()
    sequences = [tuple(ids[first:last].tolist()) for first, last in pairwise(offsets.tolist())]
    return np.concatenate([np.zeros(0), *network.score(sequences)])


def _perplexities(logs: NDArray[np.float64], known: NDArray[np.bool_]) -> dict[str, float]:
    """Return the perplexity of all predictions, and of those that are words of the vocabulary."""
    found = {"perplexity": logs, "known_perplexity": logs[known]}
    return {name: round(math.exp(-part.mean()), 6) for name, part in found.items() if len(part)}
