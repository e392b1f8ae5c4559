"""What the texts of a run are like, at the end of its training, beside the documents that it held out."""

from __future__ import annotations

import math
from typing import Any

from genrun import registry
from genrun.contracts import Decoder
from genrun.generating.draws import Draws
from genrun.loading.originality import TrainingRuns
from genrun.tokenizer import Tokenizer
from genrun_core.counting.counting_file import load_counting, load_mixed
from genrun_core.evaluation.exported_decoder import exported_decoder
from genrun_core.evaluation.originality import training_runs_of
from genrun_core.evaluation.writing import CountingSteps, MixedSteps, NetworkSteps, Steps, write_ids
from genrun_core.recipes.output_sections import COPIED
from genrun_core.recipes.recipe import Recipe
from genrun_core.reporting.advice import copies_stand_out, verdict
from genrun_core.reporting.model_report import draws_from_all
from genrun_core.reporting.report import Report
from genrun_core.reporting.run_report import documents_of, report_on
from genrun_core.runs.run_folder import RunFolder

__all__ = ["forget_judgement", "judge_texts", "texts_of_run"]

_TEXTS = 150
_FEWEST = 20  # held-out documents


def judge_texts(run: RunFolder) -> list[str]:
    """Return lines about the texts of a finished run beside its held-out documents, with what to try.

    None where there is nothing to compare with: fewer than 20 documents are held out, or the corpus cannot be read
    as it was, or the model cannot begin a text by itself. Where the texts copy the training corpus, the card keeps
    how many words in a row the model file shall copy at most, unless the recipe says that itself.
    """
    recipe, tokenizer = run.recipe(), run.tokenizer()
    if tokenizer.special("start") is None or len(run.shards(tokenizer).held_out) < _FEWEST:
        return []
    documents = documents_of(run)
    if documents is None:
        return []
    runs = _runs(run, recipe, tokenizer)
    report = report_on(_write(run, _TEXTS, 0, runs), documents)
    if not report:
        return []
    decoder = _decoder(run, recipe, tokenizer)
    lines = verdict(report, from_all=draws_from_all(decoder), counted=not recipe.model.plugin.trained)
    most = _max_copied(recipe, report, runs)
    figures = {"training_lines": report.texts.training_lines, "copied_run": report.texts.copied_run}
    run.save_json(run.card_file, {**_card_without(run), "texts": {**figures, "max_copied": most}})
    if most:
        lines.append(f"so the model file will copy at most {most} words in a row (--max-copied 0: any number)")
    return lines


def forget_judgement(run: RunFolder) -> None:
    """Take what an earlier :func:`judge_texts` has kept out of the card: the model file then may copy any number."""
    if "texts" in run.card():
        run.save_json(run.card_file, _card_without(run))


def texts_of_run(run: RunFolder, count: int, *, seed: int = 0) -> list[str]:
    """Return ``count`` texts without a prompt, with the decoder of the run; none if it has no ``<start>``."""
    return _write(run, count, seed, _runs(run, run.recipe(), run.tokenizer()))


def _card_without(run: RunFolder) -> dict[str, Any]:
    return {name: value for name, value in run.card().items() if name != "texts"}


def _max_copied(recipe: Recipe, report: Report, runs: TrainingRuns | None) -> int:
    """Return how many words in a row the model file shall copy at most, by what its texts copy; 0 for any number."""
    settings = recipe.generation
    if runs is None or runs.tokenizer.kind != "word" or not settings.fit_decoder or settings.max_copied:
        return 0
    if report.units != "words" or not copies_stand_out(report):
        return 0
    most = min(COPIED[-1], runs.lengths[-1] - 1)
    return min(max(math.ceil(report.documents.copied_run or 0), COPIED[0]), most)


def _runs(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> TrainingRuns | None:
    """Return the hashed runs of the training documents that the model file would have."""
    found = training_runs_of(tokenizer, run.shards(tokenizer)) if recipe.generation.originality else None
    return None if found is None else found[0]


def _write(run: RunFolder, count: int, seed: int, runs: TrainingRuns | None) -> list[str]:
    recipe, tokenizer = run.recipe(), run.tokenizer()
    start = tokenizer.special("start")
    if start is None:
        return []
    decoder = _decoder(run, recipe, tokenizer, knows_lines=runs is not None)
    begin = [*tokenizer.labels.ids(), start]
    draws = [Draws(seed, sample, begin) for sample in range(count)]
    steps = _steps(run, recipe, tokenizer)
    found = write_ids(steps, tokenizer, decoder, [begin] * count, draws, recipe.generation.max_new_tokens, runs)
    return [tokenizer.decode(ids, recipe.generation.casing) for ids in found]


def _decoder(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer, *, knows_lines: bool = False) -> Decoder:
    """Return the decoder that the model file of ``run`` would have."""
    choice = exported_decoder(run, recipe, tokenizer, knows_lines=knows_lines)
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
