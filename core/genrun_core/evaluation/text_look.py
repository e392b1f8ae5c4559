"""What the texts of a run are like, at the end of its training, beside the documents that it held out."""

from __future__ import annotations

from genrun import registry
from genrun.contracts import Decoder
from genrun.generating.draws import Draws
from genrun.tokenizer import Tokenizer
from genrun_core.counting.counting_file import load_counting, load_mixed
from genrun_core.evaluation.exported_decoder import exported_decoder
from genrun_core.evaluation.writing import CountingSteps, MixedSteps, NetworkSteps, Steps, write_ids
from genrun_core.recipes.recipe import Recipe
from genrun_core.reporting.advice import verdict
from genrun_core.reporting.model_report import draws_from_all
from genrun_core.reporting.run_report import documents_of, report_on
from genrun_core.runs.run_folder import RunFolder

__all__ = ["texts_of_run", "verdict_on_run"]

_TEXTS = 150
_FEWEST = 20  # held-out documents


def verdict_on_run(run: RunFolder) -> list[str]:
    """Return lines about the texts of a finished run beside its held-out documents, with what to try.

    None where there is nothing to compare with: fewer than 20 documents are held out, or the corpus cannot be read
    as it was, or the model cannot begin a text by itself.
    """
    recipe, tokenizer = run.recipe(), run.tokenizer()
    if tokenizer.special("start") is None or len(run.shards(tokenizer).held_out) < _FEWEST:
        return []
    documents = documents_of(run)
    report = documents and report_on(texts_of_run(run, _TEXTS), documents)
    if not report:
        return []
    decoder = _decoder(run, recipe, tokenizer)
    return verdict(report, from_all=draws_from_all(decoder), counted=not recipe.model.plugin.trained)


def texts_of_run(run: RunFolder, count: int, *, seed: int = 0) -> list[str]:
    """Return ``count`` texts from nothing by what the run has learnt, with its decoder; it must have ``<start>``."""
    recipe, tokenizer = run.recipe(), run.tokenizer()
    start = tokenizer.special("start")
    if start is None:
        return []
    decoder = _decoder(run, recipe, tokenizer)
    begin = [*tokenizer.labels.ids(), start]
    draws = [Draws(seed, sample, begin) for sample in range(count)]
    steps = _steps(run, recipe, tokenizer)
    found = write_ids(steps, tokenizer, decoder, [begin] * count, draws, recipe.generation.max_new_tokens)
    return [tokenizer.decode(ids, recipe.generation.casing) for ids in found]


def _decoder(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> Decoder:
    """Return the decoder that the model file of ``run`` would have."""
    choice = exported_decoder(run, recipe, tokenizer)
    return registry.make_decoder(choice.name, choice.options)


def _steps(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> Steps:
    if not recipe.model.plugin.trained:
        return CountingSteps(load_counting(run, recipe, tokenizer))
    from genrun_core.backend import prepare_backend

    prepare_backend("writing texts")
    from genrun_core.network.architecture import fingerprint
    from genrun_core.network.body_and_head import Body, Head
    from genrun_core.network.network_file import load_network_of

    network = load_network_of(run, recipe, tokenizer)
    steps = NetworkSteps(Body(network), Head(network))
    mixed = load_mixed(run, recipe, tokenizer, fingerprint(network)) if recipe.model.counting else None
    return steps if mixed is None else MixedSteps(steps, mixed)
