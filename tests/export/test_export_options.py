"""Whatever a network was trained with, its export passes the gate and verifies."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

import genrun
from genrun_core.backend import prepare_backend
from support.trained import train

prepare_backend()

from genrun_export.exporting import export  # noqa: E402
from support.keras_files import load_network  # noqa: E402

DROPOUTS = {
    "dropout": "0.1",
    "input_dropout": "0.1",
    "recurrent_dropout": "0.1",
    "embedding_dropout": "0.1",
    "locked_dropout": "true",
}
OPTIONS = {
    "tied": {"tied": "true", "embedding_size": "32"},
    "tied with a projection": {"architecture": "lstm", "tied": "true"},
    "tied window": {"architecture": "window", "window": "3", "tied": "true", "precision": "float16"},
    "all dropouts": {"architecture": "lstm", "layers": "2", "tied": "true", **DROPOUTS},
    "running text": {"architecture": "gru", "running_text": "true", "averaging": "0.9"},
    "sampled softmax": {"architecture": "gru", "tied": "true", "sampled_softmax": "6", "optimizer": "rmsprop"},
    "adamw and cosine": {"optimizer": "adamw", "weight_decay": "0.01", "schedule": "cosine", "warmup_steps": "9"},
    "frozen": {"freeze": "embedding", "schedule": "plateau", "clip_norm": "1"},
    "bfloat16": {"architecture": "lstm", "tied": "true", "precision": "bfloat16"},
    "float16": {"architecture": "gru", "precision": "float16", **DROPOUTS},
    "compiled": {"xla": "true"},
}


@pytest.mark.parametrize("settings", OPTIONS.values(), ids=OPTIONS)
def test_a_network_trained_with_any_option_passes_the_gate_and_verifies(
    settings: dict[str, str], samples: Path, tmp_path: Path
) -> None:
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "12", **settings})
    assert {layer.compute_dtype for layer in load_network(run / "model.keras").layers} <= {"float32", "int32"}
    assert export(run, tmp_path / "model.onnx").parity.largest_logit_difference <= 1e-4  # these are not chaotic
    model = genrun.load(tmp_path / "model.onnx")
    assert genrun.verify(model).passed
    assert model.card["architecture"]["tied"] is (settings.get("tied") == "true")


def test_tied_vectors_stand_in_the_file_once(samples: Path, tmp_path: Path) -> None:
    """For the words that are read and for the logits: a large vocabulary costs its size, not twice that."""
    settings = {"epochs": "1", "tied": "true", "embedding_size": "24", "hidden_size": "8"}
    run = train([samples / "songs" / "*.txt"], "lyricist", tmp_path / "run", settings)
    export(run, tmp_path / "model.onnx")
    vocabulary = len(genrun.load(tmp_path / "model.onnx").tokenizer)
    shapes = [sorted(tensor.dims) for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer]
    assert shapes.count(sorted([vocabulary, 24])) == 1
