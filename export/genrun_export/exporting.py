"""Export from beginning to end: what ``genrun export`` calls, and what other programs may."""

from __future__ import annotations

from importlib import metadata as package_metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrun import registry
from genrun.errors import ExportError, MissingExtraError, RunFolderError
from genrun.model import load
from genrun.model_file import GenerationDefaults, Metadata, Verification
from genrun.session import StepSession
from genrun.tokenizer import Tokenizer
from genrun.verification import verify
from genrun_core.atomic import write_with
from genrun_core.backend import prepare_backend
from genrun_core.corpus import TokenShards
from genrun_core.recipe import Recipe
from genrun_core.run_folder import RunFolder

if TYPE_CHECKING:
    import onnx

    from genrun_export.parity import ParityFigures

__all__ = ["export"]


def export(folder: Path, output: Path) -> ParityFigures:
    """Write the model file of the run in ``folder`` to ``output`` and return the figures of its parity gate.

    A file that fails the gate is not written. Raises RunFolderError, ExportError, or OSError if the disk refuses.
    """
    run = RunFolder.open(folder)
    if not run.network_file.exists():
        raise RunFolderError(f"{folder} has no trained network yet: genrun train --resume {folder}")
    if output.is_dir():
        raise ExportError(f"{output} is a folder; name the model file to write, for example {output / 'model.onnx'}")
    _require_converter()
    prepare_backend("exporting")
    from genrun_core.architecture import load_network
    from genrun_export.conversion import to_onnx
    from genrun_export.parity import check_parity, choose_prompts, golden_texts
    from genrun_export.step import make_step

    recipe, tokenizer = run.recipe(), run.tokenizer()
    network = load_network(run.network_file)
    defaults = _defaults(recipe, tokenizer)
    model = to_onnx(make_step(network))
    prompts = choose_prompts(tokenizer, TokenShards.open(run.tokens))
    measured: list[ParityFigures] = []

    def write(path: Path) -> None:
        _save(model, path)
        session = StepSession(path, device="cpu")
        session.bind(len(tokenizer))
        figures, continuations = check_parity(network, session, prompts, defaults.suppressed_ids)
        golden = golden_texts(tokenizer, prompts, continuations)
        metadata = Metadata(tokenizer, defaults, _card(run), Verification(figures.to_json(), golden))
        for key, value in metadata.to_properties().items():
            model.metadata_props.add(key=key, value=value)
        _save(model, path)
        report = verify(load(path, device="cpu"))
        if not report.passed:
            raise ExportError(f"refused: the finished file does not reproduce itself: {report.differences[0]}")
        measured.append(figures)

    output.parent.mkdir(parents=True, exist_ok=True)
    write_with(output, write)
    return measured[0]


def _defaults(recipe: Recipe, tokenizer: Tokenizer) -> GenerationDefaults:
    end = tokenizer.special("end")
    suppressed = (tokenizer.special(name) for name in ("pad", "unk", "start"))
    registry.make_decoder(recipe.decoder.name, recipe.decoder.options)  # a recipe's decoder must be a real one
    return GenerationDefaults(
        decoder=recipe.decoder.name,
        options=recipe.decoder.options,
        max_new_tokens=recipe.generation.max_new_tokens,
        stop_ids=() if end is None else (end,),
        suppressed_ids=tuple(token for token in suppressed if token is not None),
        casing=recipe.generation.casing,
    )


def _card(run: RunFolder) -> dict[str, Any]:
    card = run.card()
    card["versions"] = card.get("versions", {}) | {
        name: package_metadata.version(name) for name in ("tf2onnx", "onnx")
    }
    return card


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString())


def _require_converter() -> None:
    import importlib.util

    for module in ("tf2onnx", "onnx"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(f"exporting needs {module}", "train")
