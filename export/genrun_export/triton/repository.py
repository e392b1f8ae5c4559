"""From a model file to a folder that Triton serves: ``DIR/NAME/config.pbtxt`` and ``DIR/NAME/VERSION/model.onnx``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from genrun import registry
from genrun.errors import ExportError, OptionError
from genrun.generating.choosing.policy import choosing_parameters
from genrun.generating.stepping.session import StepSession
from genrun.loading.device import import_onnxruntime
from genrun.model import Model, load
from genrun_core.runs.atomic import replacing, scratch_folder
from genrun_export.triton.config import config_text
from genrun_export.triton.variant import real_inputs

__all__ = ["TritonModel", "export_triton"]

_CHECKED_STEPS, _CHECKED_ROWS = 20, 3


@dataclass(frozen=True, slots=True)
class TritonModel:
    """A model of a Triton repository: its ``folder``, the ``version`` that was written, and how it chooses.

    ``k`` and ``temperature``: those of the model's own decoder; None for ``temperature`` if that decoder is one that
    a graph does not know, and all tokens may be drawn.
    """

    folder: Path
    version: int
    k: int
    temperature: float | None


def export_triton(model_file: Path, repository: Path) -> TritonModel:
    """Write the model file as a new version of the model of its name in the folder ``repository``.

    The graph is checked against that of the file. Raises ModelFileError for what is no model file, OptionError for a
    name that Triton cannot use, ExportError for a file whose graph does not choose, OSError if the disk refuses.
    """
    name = model_file.stem
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise OptionError(f"{model_file}: Triton takes letters, digits, '-', '_' and '.' in a name, not {name!r}")
    with load(model_file, device="cpu", threads=1) as model:
        session = model._session
        decoder = registry.make_decoder(model.defaults.decoder, model.defaults.options)
        parameters = choosing_parameters(session, decoder)
        k, temperature = (-1, None) if parameters is None else parameters
        step = real_inputs(onnx.load(str(model_file)), k)
        _check(step, session, k)
        known = {"k": str(k), "temperature": f"{1.0 if temperature is None else temperature:g}"}
        config = config_text(name, session.vocabulary, session.states, known | _known(model))
    folder = repository / name
    folder.mkdir(parents=True, exist_ok=True)
    version = 1 + max((int(each.name) for each in folder.iterdir() if each.name.isdecimal()), default=0)
    with scratch_folder(folder / str(version)) as beside:
        onnx.save_model(step, str(beside / "model.onnx"))
        with replacing(folder / "config.pbtxt") as unfinished:
            unfinished.write_text(config, encoding="utf-8")
        beside.rename(folder / str(version))
    return TritonModel(folder, version, k, temperature)


def _known(model: Model) -> dict[str, str]:
    """Return what a client needs to know of a model, text by name."""
    return {
        "genrun_model": model.digest,
        "stop_ids": " ".join(map(str, model.defaults.stop_ids)),
        "max_new_tokens": str(model.defaults.max_new_tokens),
    }


def _check(step: onnx.ModelProto, session: StepSession, k: int) -> None:
    """Raise ExportError unless the step chooses what the file's own graph chooses, from the same draws."""
    made = import_onnxruntime().InferenceSession(step.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = ["chosen", "chosen_log_probability", *(f"{state.name}.next" for state in session.states)]
    random, fed = np.random.default_rng(0), session.initial_inputs(_CHECKED_ROWS)
    for _ in range(_CHECKED_STEPS):
        fed["draw"], temperature = random.random((_CHECKED_ROWS, 1)), 0.5 + random.random()
        own = {"k": np.array([k], np.int64), "temperature": np.array(temperature)}
        chosen, logs, *states = session.onnx.run(outputs, fed | own)
        found = made.run(outputs, fed | {"temperature": np.full((_CHECKED_ROWS, 1), temperature)})
        if not np.array_equal(found[0], chosen) or not np.allclose(found[1], logs, atol=1e-5):
            raise ExportError("refused: the graph for Triton does not choose what the model file chooses")
        fed |= {"token": chosen} | {state.name: array for state, array in zip(session.states, states, strict=True)}
