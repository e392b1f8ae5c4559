"""The configuration for Triton, read by the protocol that Triton publishes."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from genrun_export.triton import export_triton
from support.alphabet import babble_table, words, write_model
from support.counted_file import write_counted_model

TYPES = {1: "TYPE_FP32", 6: "TYPE_INT32", 7: "TYPE_INT64", 11: "TYPE_FP64"}  # by ONNX's numbers


@pytest.fixture(params=["counted", "drawn"])
def model_file(request: pytest.FixtureRequest, samples: Path, tmp_path: Path) -> Path:
    if request.param == "counted":
        return write_counted_model(tmp_path / "counted.onnx", samples)
    return write_model(tmp_path / "drawn.onnx", words("a", "b", "c"), table=babble_table(7), choosing=True)


def shape_of(value: onnx.ValueInfoProto) -> list[int]:
    """Return a shape without the batch."""
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim[1:]]


def test_the_configuration_is_the_protocols_and_describes_the_graph(model_file: Path, tmp_path: Path) -> None:
    made = export_triton(model_file, tmp_path / "repository")
    config = text_format.Parse((made.folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    graph = onnx.load(str(made.folder / "1" / "model.onnx")).graph
    constants = {value.name for value in graph.initializer}
    inputs = {value.name: value for value in graph.input}
    outputs = {value.name: value for value in graph.output}
    assert not constants & inputs.keys()  # Triton has no inputs with defaults
    states = config.sequence_batching.state
    assert {value.name for value in config.input} | {state.input_name for state in states} == inputs.keys()
    assert {value.name for value in config.output} | {state.output_name for state in states} == outputs.keys()
    assert (config.name, config.backend, config.max_batch_size) == (model_file.stem, "onnxruntime", 64)
    kind = model_config_pb2.DataType.Name
    for value in [*config.input, *config.output]:
        of_graph = inputs.get(value.name) or outputs[value.name]
        shape = list(value.reshape.shape) if value.HasField("reshape") else list(value.dims)
        assert shape == shape_of(of_graph)
        assert kind(value.data_type) == TYPES[of_graph.type.tensor_type.elem_type]
    for state in states:
        [initial] = state.initial_state
        assert initial.zero_data
        assert list(state.dims) == list(initial.dims) == shape_of(inputs[state.input_name])
        assert state.data_type == initial.data_type
        assert kind(state.data_type) == TYPES[inputs[state.input_name].type.tensor_type.elem_type]
    assert len(states) >= 1
