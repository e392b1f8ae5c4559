"""Tensors stored outside the model file: found wherever they hide, in any encoding; other files are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import genrun
from genrun.errors import ModelFileError
from genrun.loading.external_data import refuse_external_data
from genrun.loading.graph.file import read_onnx
from genrun.loading.graph.protobuf import Malformed
from support.alphabet import alphabet_table, letters, metadata, save, step_model

Change = Callable[[Any, Any], None]


def outside(location: str = "weights.bin", name: str = "secret") -> Any:
    """Return a tensor whose content lies in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[30, 30])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def inside(name: str = "known") -> Any:
    return numpy_helper.from_array(np.zeros(2, np.float32), name)


def graph_of(*nodes: Any, tensors: tuple[Any, ...] = ()) -> Any:
    return helper.make_graph(list(nodes), "inner", [], [], list(tensors))


def node_with(**attributes: Any) -> Any:
    return helper.make_node("Thing", [], ["y"], **attributes)


def function_with(*nodes: Any) -> Any:
    return helper.make_function("genrun.test", "Made", [], ["y"], list(nodes), [helper.make_opsetid("", 17)])


def defaults_of_a_function(model: Any, tensor: Any) -> None:
    function = function_with()
    function.attribute_proto.append(helper.make_attribute("value", tensor))
    model.functions.append(function)


def sparse(values: Any, indices: Any) -> Any:
    return onnx.SparseTensorProto(values=values, indices=indices, dims=[4])


def nested(tensor: Any, depth: int) -> Any:
    graph = graph_of(tensors=(tensor,))
    for _ in range(depth):
        graph = graph_of(node_with(body=graph))
    return graph


def training(model: Any, tensor: Any, field: str) -> None:
    getattr(model.training_info.add(), field).CopyFrom(graph_of(tensors=(tensor,)))


PLACES: dict[str, Change] = {
    "an initializer": lambda m, t: m.graph.initializer.append(t),
    "the first initializer": lambda m, t: m.graph.initializer[0].CopyFrom(t),
    "a node's attribute": lambda m, t: m.graph.node.append(node_with(value=t)),
    "a list in an attribute": lambda m, t: m.graph.node.append(node_with(values=[inside(), t])),
    "the first node": lambda m, t: m.graph.node[0].attribute.append(helper.make_attribute("value", t)),
    "a subgraph": lambda m, t: m.graph.node.append(node_with(body=graph_of(tensors=(t,)))),
    "a list of subgraphs": lambda m, t: m.graph.node.append(
        node_with(bodies=[graph_of(), graph_of(node_with(value=t))])
    ),
    "a deep subgraph": lambda m, t: m.graph.node.append(node_with(body=nested(t, 25))),
    "sparse values": lambda m, t: m.graph.sparse_initializer.append(sparse(t, inside())),
    "sparse indices": lambda m, t: m.graph.sparse_initializer.append(sparse(inside(), t)),
    "a sparse attribute": lambda m, t: m.graph.node.append(node_with(value=sparse(t, inside()))),
    "a list of sparse attributes": lambda m, t: m.graph.node.append(
        node_with(values=[sparse(inside(), inside()), sparse(inside(), t)])
    ),
    "a function": lambda m, t: m.functions.append(function_with(node_with(value=t))),
    "a function's defaults": defaults_of_a_function,
    "training": lambda m, t: training(m, t, "initialization"),
    "a training step": lambda m, t: training(m, t, "algorithm"),
}


def plain() -> Any:
    return step_model(alphabet_table(letters()))


def refused(path: Path) -> bool:
    message = ""
    try:
        refuse_external_data(path, memoryview(path.read_bytes()))
    except ModelFileError as error:
        message = str(error)
    expected = f"{path} keeps tensors in other files; a genrun model is one file that carries everything"
    assert message in ("", expected)
    return bool(message)


def refused_bytes(folder: Path, content: bytes) -> bool:
    path = folder / "m.onnx"
    path.write_bytes(content)
    return refused(path)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "../../elsewhere.bin", "https://x.example/w"])
def test_a_tensor_in_another_file_is_found_wherever_it_hides(tmp_path: Path, place: str, location: str) -> None:
    model = plain()
    PLACES[place](model, outside(location))
    assert refused_bytes(tmp_path, model.SerializeToString())


@pytest.mark.parametrize("place", PLACES)
def test_a_tensor_in_the_file_may_be_in_the_same_place(tmp_path: Path, place: str) -> None:
    model = plain()
    PLACES[place](model, inside())
    assert not refused_bytes(tmp_path, model.SerializeToString())


@pytest.mark.parametrize("place", ["an initializer", "a subgraph", "sparse values"])
def test_half_of_the_marks_is_enough(tmp_path: Path, place: str) -> None:
    only_location, only_flag = outside(), outside()
    only_location.ClearField("data_location")
    only_flag.ClearField("external_data")
    for tensor in (only_location, only_flag):
        model = plain()
        PLACES[place](model, tensor)
        assert refused_bytes(tmp_path, model.SerializeToString())


def test_a_tensor_that_says_it_is_in_the_file_is(tmp_path: Path) -> None:
    model = plain()
    for tensor in model.graph.initializer:
        tensor.data_location = TensorProto.DEFAULT
    assert not refused_bytes(tmp_path, model.SerializeToString())


def test_loading_refuses_such_a_file_before_onnxruntime_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.bin").write_bytes(alphabet_table(letters()).tobytes())
    model = plain()
    model.graph.initializer[0].CopyFrom(outside(name="table"))
    path = save(tmp_path / "m.onnx", model, metadata(letters()).to_properties())
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("was opened"))
    with pytest.raises(ModelFileError, match="keeps tensors in other files"):
        genrun.load(path, device="cpu")


def test_ordinary_models_pass(alphabet_file: Path, babble_file: Path) -> None:
    assert not refused(alphabet_file)
    assert not refused(babble_file)


def test_the_word_external_in_a_text_is_no_tensor(tmp_path: Path) -> None:
    model = plain()
    model.doc_string = "\x6a\x02\x70\x01 external_data location weights.bin"
    model.graph.initializer[0].name = "location"
    helper.set_model_props(
        model, {"external_data": "location", "raw": outside().SerializeToString().decode("latin-1")}
    )
    assert not refused_bytes(tmp_path, model.SerializeToString())


# -- other encodings of the same message, which protobuf's parser accepts -------------------------------------------


def varint(number: int, size: int = 0) -> bytes:
    """Encode a number; ``size`` pads it with bytes that mean nothing."""
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1, 7 * size), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + [groups[-1]])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def outer() -> bytes:
    """Return the fields of the model beside its graph."""
    model = plain()
    model.ClearField("graph")
    encoded: bytes = model.SerializeToString()
    return encoded


GRAPH = graph_of(tensors=(outside(),)).SerializeToString()
ENCODINGS = {
    "as usual": field(7, GRAPH),
    "a long tag": varint(7 << 3 | 2, 5) + varint(len(GRAPH)) + GRAPH,
    "a tag with bits that are dropped": varint(1 << 32 | 7 << 3 | 2) + varint(len(GRAPH)) + GRAPH,
    "a long size": varint(7 << 3 | 2) + varint(len(GRAPH), 5) + GRAPH,
    "after a group": varint(99 << 3 | 3) + varint(99 << 3 | 4) + field(7, GRAPH),
    "after groups in groups": varint(99 << 3 | 3)
    + varint(98 << 3 | 3)
    + field(7, b"\x0a\x00")
    + varint(98 << 3 | 4)
    + varint(99 << 3 | 4)
    + field(7, GRAPH),
    "after fixed numbers": varint(99 << 3 | 1) + bytes(8) + varint(98 << 3 | 5) + bytes(4) + field(7, GRAPH),
    "after unknown fields": field(500, b"anything\xff") + varint(501 << 3) + varint(2**64 - 1) + field(7, GRAPH),
    "in a second half": field(7, b"") + field(7, GRAPH) + field(7, b""),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_unusual_encoding_hides_a_tensor(tmp_path: Path, encoding: str) -> None:
    content = outer() + ENCODINGS[encoding]
    if encoding != "a tag with bits that are dropped":  # by the protobuf in onnxruntime, not by the one of Python
        assert onnx.ModelProto.FromString(content).graph.initializer[0].external_data[0].value == "weights.bin"
    assert refused_bytes(tmp_path, content)


@pytest.mark.parametrize("depth", [1, 10, 20, 30])
def test_graphs_as_deep_as_protobuf_reads_them_hide_nothing(tmp_path: Path, depth: int) -> None:
    model = plain()
    model.graph.CopyFrom(nested(outside(), depth))
    assert onnx.ModelProto.FromString(model.SerializeToString()).graph.name == "inner"
    assert refused_bytes(tmp_path, model.SerializeToString())


def test_graphs_that_are_too_deep_for_protobuf_are_refused_as_well(tmp_path: Path) -> None:
    content = GRAPH
    for _ in range(2000):
        content = field(1, field(5, field(6, content)))  # graph → node → attribute → graph
    path = tmp_path / "deep.onnx"
    path.write_bytes(outer() + field(7, content))
    assert not refused(path)
    with pytest.raises(ModelFileError, match="it has no genrun metadata"):
        genrun.load(path, device="cpu")
    with pytest.raises(Malformed, match="a type that this genrun does not know"):
        read_onnx(memoryview(path.read_bytes()))


# -- files that are no models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"hello, world\n",
        b"\x00",
        b"\xff" * 40,
        b"\x80" * 100_000,
        b"\x3a",
        b"\x3a\xff\xff\xff\xff\x7f",
        b"\x3a\x7f\x0a",
        b"\x3b" * 100_000,  # groups that never end
        b"\x3c",  # a group that never began
        b"\x39\x00",
        bytes(range(256)) * 8,
        b"PK\x03\x04zip",
    ],
)
def test_garbage_is_left_to_onnxruntime(tmp_path: Path, content: bytes) -> None:
    assert not refused_bytes(tmp_path, content)
    with pytest.raises(ModelFileError):
        genrun.load(tmp_path / "m.onnx", device="cpu")


quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


@given(st.binary(min_size=1, max_size=300))
@quietly
def test_any_bytes_pass_or_are_refused(tmp_path: Path, content: bytes) -> None:
    assert refused_bytes(tmp_path, content) in (True, False)


WHOLE = {"plain": plain().SerializeToString(), "external": outer() + field(7, GRAPH)}


@given(st.sampled_from(sorted(WHOLE)), st.integers(1, 10_000))
@quietly
def test_any_beginning_of_a_file_passes_or_is_refused(tmp_path: Path, which: str, size: int) -> None:
    found = refused_bytes(tmp_path, WHOLE[which][: 1 + size % len(WHOLE[which])])
    assert which == "external" or not found


@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5),
)
@quietly
def test_any_garbled_file_passes_or_is_refused(tmp_path: Path, which: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE[which])
    for at, value in changes:
        content[at % len(content)] = value
    assert refused_bytes(tmp_path, bytes(content)) in (True, False)


@given(
    st.lists(st.sampled_from([bytes([b]) for b in (0x3A, 0x3B, 0x3C, 0x2A, 0x0A, 0x6A, 0x70, 0x80, 0xFF, 1, 2, 0)]))
)
@quietly
def test_any_pile_of_fields_passes_or_is_refused(tmp_path: Path, parts: list[bytes]) -> None:
    assert refused_bytes(tmp_path, b"".join([b"\x08\x08", *parts])) in (True, False)
