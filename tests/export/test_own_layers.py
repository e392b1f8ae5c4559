"""A network of a plugin's own layers, through training, the export's gate and quantization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from genrun.errors import ExportError
from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402

from genrun_core.training.saving.checkpoint import Checkpoint, restore_checkpoint  # noqa: E402
from genrun_export.gate.parity import check_parity  # noqa: E402
from genrun_export.graph.matrices import find_matrices  # noqa: E402
from genrun_export.graph.step import make_step  # noqa: E402
from support.converted import to_onnx  # noqa: E402
from support.examples import offered  # noqa: E402
from support.fading import Memory  # noqa: E402
from support.faults import SUPPRESSED, make_network, opened, prompts  # noqa: E402
from support.tiny import fitting_of, model_of, train_epochs  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def fading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    entries = {"genrun.architectures": {"fading": "support.fading:Fading"}}
    with offered(tmp_path_factory.mktemp("metadata"), "fading", entries):
        yield


@pytest.fixture
def network(fading: None) -> keras.Model:
    return make_network(architecture="fading")


def test_its_states_are_those_of_the_file_and_the_gate_passes(network: keras.Model, tmp_path: Path) -> None:
    session = opened(network, tmp_path / "step.onnx")
    assert [(state.dtype.name, state.shape) for state in session.states] == [("float32", (12,)), ("int64", (1,))]
    figures, _ = check_parity(network, session, prompts(), SUPPRESSED)
    assert figures.weights == network.count_params()
    assert 0 < figures.rounding_ratio < figures.allowed_ratio


def test_a_number_that_no_layer_announces_is_refused(
    network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Memory, "constants", ())
    with pytest.raises(ExportError, match="refused: the network in the file uses numbers that were not trained"):
        check_parity(network, opened(network, tmp_path / "step.onnx"), prompts(), SUPPRESSED)


@pytest.mark.parametrize(
    ("share", "count", "message"),
    [
        (0.5, 1, r"refused: state\.0\.next in the file is off by"),
        (1.0, 2, r"refused: state\.1\.next in the file is off"),
    ],
    ids=["a state", "a count"],
)
def test_a_step_that_is_not_the_exact_one_is_refused(
    share: float, count: int, message: str, network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: Memory, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        output = tf.tanh(tf.matmul(inputs, self.kernel) + 0.5 * states[0])
        return output, [share * output, states[1] + count]

    monkeypatch.setattr(Memory, "step", wrong)
    with pytest.raises(ExportError, match=message):
        check_parity(network, opened(network, tmp_path / "step.onnx"), prompts(), SUPPRESSED)


def test_quantization_leaves_what_a_layer_keeps(network: keras.Model) -> None:
    step = to_onnx(make_step(network))
    assert {matrix.name for matrix in find_matrices(step.graph, network)} == {"embedding", "logits"}


def test_running_text_carries_its_states_through_a_checkpoint(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"running_text": True, "sequence_length": 4, "batch_size": 3, "epochs": 2}
    whole = fitting_of([40], model_of("fading"), **settings)
    train_epochs(whole)
    begun = fitting_of([40], model_of("fading"), **settings)
    begun.run([], lambda: begun.step == 2)
    assert [state.dtype for state in begun.states] == [tf.float32, tf.int64]
    state = {"best": {"epoch": 0, "value": 0.0, "sampled": False}}
    Checkpoint(begun, state).write(tmp_path / "checkpoint.npz")
    resumed = fitting_of([40], model_of("fading"), **settings)
    restore_checkpoint(tmp_path / "checkpoint.npz", resumed, "")
    train_epochs(resumed)
    for weight, expected in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
