"""Export of a counted model: from its run folder to a model file, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata as package_metadata
from pathlib import Path
from typing import Any

from genrun.errors import OptionError, RunFolderError
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.originality import TrainingRuns
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer
from genrun_core.counting import CountingModel
from genrun_core.counting.counting_file import fingerprint, load_counting
from genrun_core.counting.pruning import WIDTHS
from genrun_core.runs.atomic import remove_leftovers, replacing, scratch_beside
from genrun_core.runs.run_folder import RunFolder
from genrun_export.counting.gate import CountingFigures, check_counting
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import make_tables
from genrun_export.file.file_content import content_of, replay, session_over
from genrun_export.gate.golden import golden_texts
from genrun_export.gate.greedy import continuations
from genrun_export.gate.prompts import choose_prompts
from genrun_export.graph.choosing import add_choosing

__all__ = ["export_counting"]

_CLEAR = 0.001  # between the highest logarithm and the next: log-probabilities are exact to 1e-5


def export_counting(
    run: RunFolder,
    output: Path,
    tokenizer: Tokenizer,
    defaults: GenerationDefaults,
    runs: TrainingRuns | None,
    about: Mapping[str, Any],
    quantize: str | None = None,
) -> tuple[CountingFigures, int]:
    """Write the model file of a counted run to ``output``; return the figures of its gate, and its size in bytes.

    ``tokenizer``: that of the run, as the file is to hold it. ``runs`` and ``about``: what
    :func:`~genrun_core.evaluation.originality.originality_of` returns.

    Raises as :func:`genrun_export.exporting.export` does, and OptionError for a ``quantize``.
    """
    if quantize is not None:
        raise OptionError("quantize makes a network's matrices smaller: an n-gram model has none")
    counted = load_counting(run, run.recipe(), tokenizer)
    shards = run.shards(tokenizer)
    card = {**_card(run, counted), **about}
    step = counting_step(make_tables(counted, widths=WIDTHS))
    add_choosing(step, defaults.suppressed_ids)
    prompts = choose_prompts(tokenizer, shards)
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(output.parent)
    with scratch_beside(output) as scratch:
        session = session_over(step, scratch, len(tokenizer))
        figures = check_counting(counted, session, prompts, defaults.suppressed_ids)
        greedy = continuations(session, prompts, defaults.suppressed_ids, _CLEAR)
        golden = golden_texts(tokenizer, session, prompts, greedy)
    verification = Verification(figures.to_json(), golden)
    content = content_of(step, Metadata(tokenizer, defaults, card, verification, training_runs=runs))
    with replacing(output) as finished:
        finished.write_bytes(content)
        replay(finished)
    return figures, len(content)


def _card(run: RunFolder, counted: CountingModel) -> dict[str, Any]:
    """Return the run's card, which must describe just this model."""
    card = run.card()
    if card.get("training", {}).get("weights") != fingerprint(counted):
        raise RunFolderError(f"{run.path}: its card is of another model: genrun train --resume {run.path} writes it")
    return {**card, "versions": card.get("versions", {}) | {"onnx": package_metadata.version("onnx")}}
