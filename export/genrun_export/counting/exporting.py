"""Export of a counted model: from its run folder to a model file, without TensorFlow."""

from __future__ import annotations

from importlib import metadata as package_metadata
from pathlib import Path
from typing import Any

import onnx

from genrun.errors import ExportError, OptionError, RunFolderError
from genrun.loading.graph.properties import with_digest
from genrun.loading.metadata import GenerationDefaults, Metadata, Verification
from genrun.loading.opening import MappedFile
from genrun.model import load
from genrun.scoring.verification import verify
from genrun.stepping.session import StepSession
from genrun_core.counting import CountingModel
from genrun_core.counting.counting_file import fingerprint, load_counting
from genrun_core.counting.pruning import WIDTHS
from genrun_core.runs.atomic import remove_leftovers, write_with
from genrun_core.runs.run_folder import RunFolder
from genrun_export.choosing import add_choosing
from genrun_export.counting.gate import CountingFigures, check_counting
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import make_tables
from genrun_export.golden import clear_continuations, golden_texts
from genrun_export.parity import BATCH_SIZES, NEW_TOKENS, choose_prompts

__all__ = ["export_counting"]

_CLEAR = 0.001  # between the highest logarithm and the next: log-probabilities are exact to 1e-5


def export_counting(
    run: RunFolder, output: Path, defaults: GenerationDefaults, quantize: str | None = None
) -> CountingFigures:
    """Write the model file of a counted run to ``output`` and return the figures of its gate.

    Raises as :func:`genrun_export.exporting.export` does, and OptionError for a ``quantize``.
    """
    if quantize is not None:
        raise OptionError("quantize makes a network's matrices smaller: an n-gram model has none")
    tokenizer = run.tokenizer()
    counted = load_counting(run, run.recipe(), tokenizer)
    card = _card(run, counted)
    tables = make_tables(counted, widths=WIDTHS)
    step = counting_step(tables)
    add_choosing(step, defaults.suppressed_ids)
    prompts = choose_prompts(tokenizer, run.shards())
    measured: list[CountingFigures] = []

    def write(path: Path) -> None:
        path.write_bytes(with_digest(step.SerializeToString()))
        session = StepSession(MappedFile(path), device="cpu")
        session.bind(len(tokenizer))
        suppressed = defaults.suppressed_ids
        figures = check_counting(counted, session, prompts, suppressed)
        continuations = clear_continuations(
            session, prompts, suppressed, count=NEW_TOKENS, batch_sizes=BATCH_SIZES, margin=_CLEAR
        )
        golden = golden_texts(tokenizer, session, prompts, continuations)
        metadata = Metadata(tokenizer, defaults, card, Verification(figures.to_json(), golden))
        described = onnx.ModelProto()
        described.MergeFrom(step)
        for key, value in metadata.to_properties().items():
            described.metadata_props.add(key=key, value=value)
        path.write_bytes(with_digest(described.SerializeToString()))
        report = verify(load(path, device="cpu"))
        if not report.passed:
            raise ExportError(f"refused: the finished file does not reproduce itself: {report.differences[0]}")
        measured.append(figures)

    output.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(output.parent)
    write_with(output, write)
    return measured[0]


def _card(run: RunFolder, counted: CountingModel) -> dict[str, Any]:
    """Return the run's card, which must describe just this model."""
    card = run.card()
    if card.get("training", {}).get("weights") != fingerprint(counted):
        raise RunFolderError(f"{run.path}: its card is of another model: genrun train --resume {run.path} writes it")
    return {**card, "versions": card.get("versions", {}) | {"onnx": package_metadata.version("onnx")}}
