"""What counting is worth beside a network, on the documents that its training held out: alone, and mixed with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting import CountingModel, fit_mixture, prune
from genrun_core.counting.counting_file import save_counting
from genrun_core.counting.documents import Documents
from genrun_core.counting.mixed import Mixed
from genrun_core.counting.pruning import ENTRIES, MIXED_WIDTHS
from genrun_core.counting.recent import count_recent, fit_recent
from genrun_core.recipes.counting import choose_order
from genrun_core.training.prepared import Prepared

if TYPE_CHECKING:
    from genrun_core.evaluation.evaluation import Scorer

__all__ = ["Comparison", "compare_with_counting"]

Array = NDArray[np.float64]

_MOST = 20_000_000  # tokens, which are counted in less than a minute
_MEASURED = 100_000  # predictions of held-out documents that decide about a mixture
_MEASURED_RUNNING = 20_000  # of a running text, which is read token by token
_CLEARLY = 0.99  # a perplexity that is lower by less than this is not called better
_FEW = 10  # documents
_BLOCK = 200  # at most, predictions that stand for a document where there are few


@dataclass(frozen=True, slots=True)
class Comparison:
    """Held-out perplexities of counting and of the network, and what to say of them; ``figures`` are for the card."""

    figures: Mapping[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Perplexities:
    """Of all predictions, and of those of ``known`` words; None where all words are known, or none is."""

    perplexity: float
    known: float | None

    @classmethod
    def of(cls, logs: Array, known: NDArray[np.bool_]) -> _Perplexities:
        return cls(math.exp(-logs.mean()), math.exp(-logs[known].mean()) if 0 < known.sum() < len(known) else None)

    @classmethod
    def of_epoch(cls, row: Mapping[str, float]) -> _Perplexities:
        return cls(row["val_perplexity"], row.get("val_known_perplexity"))

    @property
    def judged(self) -> float:
        """What models are compared by: the perplexity of words of the vocabulary, for no others are written."""
        return self.perplexity if self.known is None else self.known

    def to_json(self) -> dict[str, float]:
        found = {"perplexity": self.perplexity, "known_perplexity": self.known}
        return {name: round(value, 6) for name, value in found.items() if value is not None}


def compare_with_counting(prepared: Prepared, row: Mapping[str, float], network: Scorer, weights: str) -> Comparison:
    """Count the documents that were trained on, and compare with the epoch ``row`` of the best ``network``.

    Both predict the same tokens of the same documents. With ``counting`` in the recipe, the mixture of both is
    written into the run folder where it predicts better; ``weights`` is the fingerprint of the network's weights.
    """
    model, shards = prepared.recipe.model, prepared.corpus.shards
    prepared.run.counting_file.unlink(missing_ok=True)  # of another epoch
    if "val_perplexity" not in row:
        wanted = "note: counting=true needs documents held out, to find how much it helps: validation=0.1"
        return Comparison({}, (wanted,) if model.counting else ())
    if len(shards.ids) > _MOST:
        line = f"not compared with counting: that takes long for more than {_MOST:,} tokens"
        return Comparison({}, (line,))
    kind, tokens = prepared.corpus.tokenizer.kind, len(shards.ids) - len(shards)
    order = model.order if model.counting else choose_order(kind, tokens)
    trained, held_out = prepared.counted_documents()
    if model.counting:  # both are measured on the same part
        held_out = held_out.some(_MEASURED_RUNNING if held_out.running_text else _MEASURED)
    counts = trained.count(prepared.corpus.tokenizer, order)
    known = held_out.predicted() != prepared.corpus.tokenizer.special("unk")
    counted = _Perplexities.of(counts.score(*held_out.joined()), known)
    if model.counting:
        return _mixed(prepared, counts, counted, network, held_out, known, weights)
    figures = {"counting": {"order": order, **counted.to_json()}}
    alone = _Perplexities.of_epoch(row)
    if alone.known is None:
        counted = replace(counted, known=None)
    if counted.judged < alone.judged:
        verdict = f"{_how(prepared, order)} does better here"
    else:
        verdict = f"{1 - alone.judged / counted.judged:.0%} less"
    return Comparison(figures, (f"{_both(order, counted, alone)}: {verdict}",))


def _mixed(
    prepared: Prepared,
    counts: CountingModel,
    counted: _Perplexities,
    network: Scorer,
    held_out: Documents,
    known: NDArray[np.bool_],
    weights: str,
) -> Comparison:
    """Write the mixture where it predicts better than the network alone; say how much better."""
    order = counts.order
    pruned = prune(counts, longest_row=MIXED_WIDTHS[: order - 1], entries=ENTRIES)
    of_network, of_counts = _scored(network, held_out), pruned.counted(*held_out.joined())
    alone = _Perplexities.of(of_network, known)
    figures: dict[str, Any] = {"counting": {"order": order, **counted.to_json()}}
    line = _both(order, counted, alone)
    fitted = fit_mixture(of_network, of_counts, _documents(held_out), levels=order)
    if fitted is None:
        line += "; mixing both predicts no better: the network stays alone"
        if counted.judged < _CLEARLY * alone.judged:
            line += f", and {_how(prepared, order)} does better here"
        return Comparison(figures, (line,))
    mixture, logs = fitted
    size = prepared.recipe.model.recent
    recent = fit_recent(logs, count_recent(*held_out.joined(), size), _documents(held_out), size) if size else None
    save_counting(prepared.run.counting_file, Mixed(pruned, mixture, weights, recent and recent[0]))
    mixed = _Perplexities.of(logs, known)
    figures["mixture"] = {**mixed.to_json(), "ngrams": pruned.entries}
    line += f"; the model mixes both: {mixed.judged:.1f}"
    if recent is not None:
        mixed = _Perplexities.of(recent[1], known)
        figures["mixture"] |= {**mixed.to_json(), "recent": size}
        line += f", with the last {size} tokens likelier to come again {mixed.judged:.1f}"
    better = min(alone.judged, counted.judged)
    if counted.judged < _CLEARLY * mixed.judged:
        line += f", and {_how(prepared, order)} does better here (or a longer training)"
    elif mixed.judged < _CLEARLY * better:
        line += f", {1 - mixed.judged / better:.0%} below the better one"
    elif mixed.judged > better:
        line += " (of so few held-out documents; with more of them, mixing nearly always helps)"
    return Comparison(figures, (line,))


def _both(order: int, counted: _Perplexities, alone: _Perplexities) -> str:
    """Return the figures of counting and of the network, in words."""
    what = "the held-out documents" if counted.known is None else "known words of the held-out documents"
    by_counts = f"counting alone (Kneser-Ney, order {order}) predicts {what} with perplexity {counted.judged:.1f}"
    return f"{by_counts}; this network {alone.judged:.1f}"


def _how(prepared: Prepared, order: int) -> str:
    """Return the options that count instead."""
    recipe = prepared.recipe
    if recipe.name == "default":
        return "--recipe ngram"
    return "--set architecture=ngram" + (f" --set order={order}" if order != recipe.model.order else "")


def _documents(held_out: Documents) -> NDArray[np.int64]:
    """Return the document of each prediction, int64 ``[predictions]``.

    Blocks stand for documents where there are few, as in a running text: one alone could not be judged by.
    """
    sizes = np.maximum(np.diff(held_out.joined()[1]) - 1, 0)
    if held_out.running_text or np.count_nonzero(sizes) < _FEW:
        predictions = int(sizes.sum())
        return np.arange(predictions) // max(min(_BLOCK, predictions // _FEW), 1)
    return np.repeat(np.arange(len(sizes)), sizes)


def _scored(network: Scorer, documents: Documents) -> Array:
    ids, offsets = documents.joined()
    sequences = [tuple(ids[first:last].tolist()) for first, last in pairwise(offsets.tolist())]
    labels = documents.shards.labels[documents.numbers].tolist()
    count = len(documents.shards.no_labels)
    if count:
        sequences = [(*before, *after) for before, after in zip(labels, sequences, strict=True)]
    return np.concatenate([np.zeros(0), *(logs[count:] for logs in network.score(sequences))])
