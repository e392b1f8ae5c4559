"""Steps as files: weights go from the network to the file without passing through the converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from genrun_core.backend import prepare_backend

prepare_backend()

from genrun_export.file.file_content import write_step  # noqa: E402
from genrun_export.file.stored_graph import read_graph  # noqa: E402
from genrun_export.graph.conversion import to_graph  # noqa: E402
from genrun_export.graph.step import make_step  # noqa: E402
from support.converted import to_onnx  # noqa: E402
from support.faults import make_network  # noqa: E402


@pytest.mark.parametrize("settings", [{"architecture": "gru"}, {"architecture": "lstm", "tied": True}], ids=str)
def test_a_step_is_written_as_the_onnx_library_would_write_it(settings: dict[str, Any], tmp_path: Path) -> None:
    step = make_step(make_network(**settings))
    write_step(to_graph(step), tmp_path / "step.onnx", step.weights)
    found, expected = onnx.load(tmp_path / "step.onnx"), to_onnx(step)
    onnx.checker.check_model(found, full_check=True)
    constants = [{tensor.name: tensor for tensor in model.graph.initializer} for model in (found, expected)]
    assert {name for name in constants[0] if "." in name} >= step.weights.keys()
    for name, weight in step.weights.items():
        assert constants[0][name] == constants[1][name]
        assert (onnx.numpy_helper.to_array(constants[0][name]) == np.asarray(weight)).all()
    assert [value.name for value in found.graph.input] == [value.name for value in expected.graph.input]


def test_what_is_converted_does_not_grow_with_the_weights() -> None:
    small, large = (
        to_graph(make_step(make_network(architecture="lstm", hidden_size=size))).ByteSize() for size in (4, 400)
    )
    assert large < small + 100


def test_constants_are_read_where_they_lie_in_the_file(tmp_path: Path) -> None:
    network = make_network(architecture="gru")
    step = make_step(network)
    write_step(to_graph(step), tmp_path / "step.onnx", step.weights)
    stored = read_graph(tmp_path / "step.onnx")
    assert not stored.graph.initializer
    assert {node.op_type for node in stored.nodes_behind(["state.0.next"])} >= {"Gather", "MatMul", "Tanh"}
    for name, weight in step.weights.items():
        constant = stored.constants[name]
        assert constant.is_fractional
        assert (constant.values() == np.asarray(weight)).all()
