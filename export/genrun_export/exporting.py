"""Export from beginning to end: what ``genrun export`` calls, and what other programs may."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata as package_metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrun import registry
from genrun.errors import ExportError, OptionError, RunFolderError
from genrun.generating.choosing.binding import bound
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.originality import TrainingRuns
from genrun.tokenizer import Tokenizer
from genrun_core.backend import prepare_backend, require_training
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.counting.counting_file import load_mixed
from genrun_core.counting.mixed import Mixed
from genrun_core.evaluation.exported_decoder import exported_decoder
from genrun_core.evaluation.originality import originality_of
from genrun_core.library_pages import release_library_pages
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import remove_leftovers, replacing, scratch_beside
from genrun_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from genrun_export.counting.gate import CountingFigures
    from genrun_export.counting.mixed_gate import MixtureFigures
    from genrun_export.gate.parity import ParityFigures
    from genrun_export.quantizing.quantization_gate import QuantizationFigures

__all__ = ["QUANTIZATIONS", "ExportFigures", "export"]

QUANTIZATIONS = ("int8", "fp16")
Stage = Callable[[str], object]
_MARK = b"genrun.format_version"
_LARGE = 5_000_000  # parameters of a network for which memory is spared
_WRITTEN = {"stop": "", "line": "\n", "paragraph": "\n\n"}  # at <end>


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """What the gates of an export measured; ``quantization`` is None where all stayed float32.

    ``mixture`` is None where no counts are mixed with the network. ``finished``: whether the run's training has come
    to its end; ``bytes``: the size of the file.
    """

    parity: ParityFigures | CountingFigures
    quantization: QuantizationFigures | None
    finished: bool
    bytes: int
    mixture: MixtureFigures | None = None


def export(
    folder: Path, output: Path, quantize: str | None = None, *, stage: Stage = lambda name: None
) -> ExportFigures:
    """Write the model file of the run in ``folder`` to ``output`` and return the figures of its gates.

    ``quantize``: ``int8`` or ``fp16`` makes the matrices of weights smaller; None leaves them float32. ``stage`` is
    called with the name of each stage as it begins. A file that fails a gate is not written. Raises RunFolderError,
    ExportError, OptionError for another ``quantize``, or OSError if the disk refuses.
    """
    if quantize is not None and quantize not in QUANTIZATIONS:
        raise OptionError(f"quantize must be {' or '.join(QUANTIZATIONS)}, not {quantize!r}")
    run = RunFolder.open(folder)
    output = output.resolve()  # a link stays one, and what it points to is replaced
    _check_output(output)
    require_training("exporting", ("tf2onnx", "onnx"))
    stage("reading the run")
    if not (counted := run.recipe()).model.plugin.trained:
        from genrun_export.counting.exporting import export_counting

        tokenizer = _exported_tokenizer(run, counted)
        stage("comparing the file with the counts")
        runs, about = originality_of(counted.generation, tokenizer, run.shards(tokenizer))
        defaults = _defaults(run, counted, tokenizer, runs)
        exact, size = export_counting(run, output, tokenizer, defaults, runs, about, quantize)
        return ExportFigures(exact, None, True, size)
    prepare_backend("exporting")
    return _export_network(run, output, quantize, stage)


def _export_network(run: RunFolder, output: Path, quantize: str | None, stage: Stage) -> ExportFigures:
    """Write the model file of a network, mixed with counts where its training found that better."""
    from genrun_core.network.architecture import fingerprint
    from genrun_core.network.network_file import load_network_of
    from genrun_export.counting.mixing import with_counting
    from genrun_export.file.file_content import replay
    from genrun_export.gate.prompts import choose_prompts
    from genrun_export.graph.choosing import add_choosing
    from genrun_export.graph.conversion import to_graph
    from genrun_export.graph.step import make_step
    from genrun_export.quantizing.sample import draw_sample
    from genrun_export.writing import ModelFile

    recipe = run.recipe()
    tokenizer = _exported_tokenizer(run, recipe)
    shards = run.shards(tokenizer)
    network = load_network_of(run, recipe, tokenizer)
    stage = _releasing(stage) if network.count_params() > _LARGE else stage
    weights = fingerprint(network)
    mixed = load_mixed(run, recipe, tokenizer, weights) if recipe.model.counting else None
    runs, about = originality_of(recipe.generation, tokenizer, shards)
    card = _card(run, weights, mixed) | about
    defaults = _defaults(run, recipe, tokenizer, runs)
    stage("making the graph")
    step = make_step(network)
    alone = to_graph(step)
    add_choosing(model := with_counting(alone, mixed), defaults.suppressed_ids)
    prompts = choose_prompts(tokenizer, shards)
    quantization = None
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(output.parent)
    with replacing(output) as finished, scratch_beside(finished) as scratch:
        file = ModelFile(
            scratch, model, alone, step.weights, network, tokenizer, defaults, card, prompts, mixed, runs
        )
        stage("comparing the file with Keras")
        content, parity, mixture = file.in_float32()
        if quantize is not None:
            stage(f"making and measuring {quantize}")
            sample = draw_sample(shards, recipe.training, len(tokenizer))
            content, quantization = file.quantized(quantize, sample, content)
        stage("writing and replaying the file")
        content.write(finished)
        replay(finished)
        size = finished.stat().st_size
    return ExportFigures(parity, quantization, run.is_finished, size, mixture)


def _releasing(stage: Stage) -> Stage:
    """Return ``stage``, which leaves the memory to the next stage: the code that the last one needed goes."""

    def begin(name: str) -> None:
        release_library_pages()
        stage(name)

    return begin


def _check_output(output: Path) -> None:
    """Refuse to write over anything but an older model file."""
    if output.is_dir():
        raise ExportError(f"{output} is a folder; name the model file to write, for example {output / 'model.onnx'}")
    if not output.exists():
        return
    if not output.is_file():
        raise ExportError(f"{output} is not an ordinary file; name the model file to write")
    if not os.access(output, os.W_OK):
        raise ExportError(f"{output} is write-protected")
    content = output.read_bytes()
    if content and _MARK not in content:
        raise ExportError(f"{output} exists and is not a genrun model; genrun does not write over it")


def _defaults(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer, runs: TrainingRuns | None) -> GenerationDefaults:
    end, goes_on = tokenizer.special("end"), bool(tokenizer.end_text)
    # In a running text <start> follows every <end>: a model that writes on must be able to choose it.
    suppressed = (tokenizer.special(name) for name in ("pad", "unk", *(() if goes_on else ("start",))))
    stop_ids = () if end is None or goes_on else (end,)
    choice = exported_decoder(run, recipe, tokenizer, knows_lines=runs is not None)
    decoder = registry.make_decoder(choice.name, choice.options)
    bound(decoder, tokenizer, stop_ids, runs)  # a recipe's decoder must be a real one, and fit the model
    return GenerationDefaults(
        decoder=choice.name,
        options=choice.options,
        max_new_tokens=recipe.generation.max_new_tokens,
        stop_ids=stop_ids,
        suppressed_ids=(*(token for token in suppressed if token is not None), *tokenizer.labels.tokens),
        casing=recipe.generation.casing,
        max_copied=recipe.generation.max_copied or _max_copied(run, recipe, runs),
    )


def _max_copied(run: RunFolder, recipe: Recipe, runs: TrainingRuns | None) -> int:
    """Return how many words in a row may be copied at most, by what the texts of the run copied; 0 for any number."""
    if runs is None or runs.tokenizer.kind != "word" or not recipe.generation.fit_decoder:
        return 0
    return min(run.max_copied(), runs.lengths[-1] - 1)


def _card(run: RunFolder, weights: str, mixed: Mixed | None) -> dict[str, Any]:
    """Return the run's card, which must be about the network with these ``weights``."""
    card = run.card()
    if card.get("training", {}).get("weights") != weights:
        raise RunFolderError(
            f"{run.path}: card.json and model.keras do not match: genrun train --resume {run.path} fixes that"
        )
    versions = {name: package_metadata.version(name) for name in ("tf2onnx", "onnx")}
    if mixed is None:
        card.pop("mixture", None)
    return {**card, "versions": card.get("versions", {}) | versions}


def _exported_tokenizer(run: RunFolder, recipe: Recipe) -> Tokenizer:
    """Return the tokenizer of a run with the text of ``<end>``, which is empty if ``<end>`` ends a text.

    By default, a model of running text writes a line break there, or a blank line if its documents have line breaks
    of their own.
    """
    tokenizer, chosen = run.tokenizer(), recipe.generation.end_token
    if chosen == "auto":
        goes_on = recipe.training.running_text and tokenizer.special("end") is not None
        chosen = "stop" if not goes_on else "paragraph" if _has_lines(run, tokenizer) else "line"
    return tokenizer.with_end_text(_WRITTEN[chosen])


def _has_lines(run: RunFolder, tokenizer: Tokenizer) -> bool:
    stored = run.corpus()
    counts = None if stored is None else CorpusCounts.from_json(stored, run.corpus_file)
    return bool(counts and counts.line_breaks) and tokenizer.keeps_line_breaks
