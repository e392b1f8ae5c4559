"""What follows the last epoch: the best network is balanced, compared with counting, and mixed with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from genrun_core.evaluation.keras_scorer import KerasScorer
from genrun_core.network.architecture import fingerprint
from genrun_core.network.network_file import load_network, save_network
from genrun_core.training.adjusting.output_bias import balance_output, groups_of
from genrun_core.training.comparison import compare_with_counting
from genrun_core.training.prepared import Prepared

__all__ = ["finish"]

Say = Callable[[str], object]


def finish(prepared: Prepared, row: Mapping[str, float], weights: str, say: Say) -> None:
    """Complete the run folder after the last epoch.

    ``row``: the metrics of the best epoch; ``weights``: the fingerprint of its network. What a kill leaves undone, or
    another training of more epochs finds done already, is not done twice.
    """
    run, recipe = prepared.run, prepared.recipe
    network = load_network(run.network_file, recipe.model, prepared.vocabulary)
    if recipe.training.balance_output and "logits" not in recipe.training.freeze:
        row = _balanced(prepared, network, row, say, fit=fingerprint(network) == weights)
    weights = fingerprint(network)
    comparison = compare_with_counting(prepared, row, KerasScorer(network), weights)
    card = {name: value for name, value in run.card().items() if name != "mixture"}
    figures = {name: round(value, 6) for name, value in row.items() if name.startswith("val_")}
    kept = {name: value for name, value in card["training"].items() if not name.startswith("val_")}
    card["training"] = {**figures, **kept, "weights": weights}
    run.save_json(run.card_file, {**card, **comparison.figures})
    for line in comparison.lines:
        say(line)


def _balanced(
    prepared: Prepared, network: keras.Model, row: Mapping[str, float], say: Say, *, fit: bool
) -> Mapping[str, float]:
    """Balance the output of the network and save it; return the metrics as they are then."""
    run, tokenizer = prepared.run, prepared.corpus.tokenizer
    unknown = tokenizer.special("unk")
    apart = tuple(token for token in (tokenizer.special("end"), unknown) if token is not None)
    groups = groups_of(prepared.frequencies, apart)
    balance = balance_output(network, prepared.validation, groups, unknown, fit=fit)
    if balance is None:
        return row
    if fit:
        save_network(network, run.network_file)
        if line := str(balance):
            say(line)
    return balance.corrected(row)
