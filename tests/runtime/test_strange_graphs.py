"""Graphs from strangers: what could crash onnxruntime, or cost too much, is refused before it runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, parser

import genrun
from fuzz.bases import base_files
from fuzz.operators import with_operator
from genrun.errors import ModelFileError, OptionError
from genrun.loading.graph.checking import values_at
from genrun.loading.graph.file import read_onnx
from genrun.loading.graph.limits import Cost
from genrun.loading.graph.properties import with_digest
from genrun.loading.graph.protobuf import Malformed
from genrun.loading.graph.rules import OPERATORS
from genrun.loading.graph.rules.value import Refused
from support.alphabet import letters, metadata, save, step_model, write_model


def stepping(*nodes: Any, constants: Sequence[Any] = (), change: Callable[[Any], None] | None = None) -> Any:
    """Return the model of a sound step with further nodes."""
    model = step_model(np.zeros((30, 30)))
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants)
    if change is not None:
        change(model)
    return model


def refusal(folder: Path, model: Any) -> str:
    path = save(folder / "m.onnx", model, metadata(letters()).to_properties())
    with pytest.raises(ModelFileError) as caught:
        genrun.load(path, device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


node = helper.make_node


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ([node("Split", ["row"], ["a", "b"], axis=1, num_outputs=3)], "'Split' splits 30 values into 3 for 2"),
        ([node("Split", ["row"], ["a", "b"], axis=1, num_outputs=2)], None),
        ([node("Mean", ["row", ""], ["a"])], "'Mean' leaves out its input 1"),
        ([node("Sum", [], ["a"])], "'Sum' has 0 inputs, not 1 to 16"),
        ([node("OneHot", ["token", "token", "drift"], ["a"])], "'OneHot' is not one that a model file may use"),
        ([node("GatherND", ["row", "token"], ["a"], batch_dims=-1)], "'GatherND' has indices that do not fit"),
        ([node("Softmax", ["row"], ["a"], axis=7)], "'Softmax' has an axis that its value does not have"),
        ([node("Add", ["row", "nothing"], ["a"])], "operator 'Add' takes 'nothing', which no earlier node makes"),
        ([node("Add", ["row", "row"], ["row"])], "it gives a name twice"),
        ([node("Mod", ["token", "token"], ["a"])], "'Mod' divides whole numbers by what may be 0"),
        ([node("Div", ["token", "token"], ["a"])], "'Div' divides whole numbers by what may be 0"),
        ([node("Gather", ["table", "token"], ["a"], axis=2)], "has the axis 2 of a value with 2 dimensions"),
        (
            [node("Gather", ["table", "token"], ["a"], axis=1.0)],
            "'Gather' has an attribute 'axis' that it cannot have",
        ),
        ([node("Relu", ["row"], ["a"], speed=1)], "'Relu' has an attribute 'speed' that it cannot have"),
        ([node("Relu", ["row"], ["a"], domain="com.microsoft")], "it has an operator of the domain 'com.microsoft'"),
        ([node("Expand", ["row", "token"], ["a"])], "from what is computed, so its cost cannot be known beforehand"),
        ([node("Relu", ["row"], [""])], "'Relu' leaves out an output"),
    ],
)
def test_an_operator_is_refused_unless_it_is_used_as_it_can_be(
    tmp_path: Path, made: list[Any], why: str | None
) -> None:
    if why is None:
        path = save(tmp_path / "m.onnx", stepping(*made), metadata(letters()).to_properties())
        assert genrun.load(path, device="cpu").generate("a")
    else:
        assert why in refusal(tmp_path, stepping(*made))


@pytest.mark.parametrize("by", [("zero", [0]), ("minus one", [-1])])
def test_whole_numbers_are_divided_by_sound_constants_alone(tmp_path: Path, by: tuple[str, list[int]]) -> None:
    wrong = stepping(node("Div", ["token", "by"], ["a"]), constants=[("by", by[1])])
    assert "divides whole numbers by what may be 0" in refusal(tmp_path, wrong)
    right = stepping(node("Div", ["token", "by"], ["a"]), constants=[("by", [7])])
    assert genrun.load(save(tmp_path / "m.onnx", right, metadata(letters()).to_properties()), device="cpu")


def functions(model: Any) -> None:
    inner = [node("Relu", ["x"], ["y"])]
    model.functions.append(helper.make_function("own", "Own", ["x"], ["y"], inner, [helper.make_opsetid("", 18)]))


def loop(model: Any) -> None:
    model.graph.node.append(node("Loop", ["token", "token"], ["a"], body=onnx.GraphProto()))


def nested(model: Any) -> None:
    graph = onnx.GraphProto()
    for _ in range(12):
        graph = onnx.GraphProto(node=[node("If", ["flag"], ["a"], then_branch=graph, else_branch=onnx.GraphProto())])
    model.graph.node.extend(graph.node)


def states(model: Any) -> None:
    for number in range(1, 600):
        for name, listed in ((f"state.{number}", model.graph.input), (f"state.{number}.next", model.graph.output)):
            listed.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1]))
        model.graph.node.append(node("Identity", [f"state.{number}"], [f"state.{number}.next"]))


def sequence(model: Any) -> None:
    model.graph.output.append(helper.make_tensor_sequence_value_info("list", TensorProto.FLOAT, None))


def lying(model: Any) -> None:
    model.graph.value_info.append(helper.make_tensor_value_info("row", TensorProto.FLOAT, ["batch", 2]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (functions, "it has functions"),
        (loop, "'Loop' is not one that a model file may use"),
        (nested, "its graphs are nested more than 8 deep"),
        (states, "it has 600 states; at most 512 can be carried"),
        (sequence, "the graph's 'list' is not a tensor"),
        (lying, "it declares 'row' as float32 [?, 2], but makes float32 [1, 30] for 1 texts"),
    ],
)
def test_what_a_step_does_not_need_is_refused(tmp_path: Path, change: Callable[[Any], None], why: str) -> None:
    assert why in refusal(tmp_path, stepping(change=change))


def chain(count: int, operator: str, *further: str) -> list[Any]:
    return [node(operator, [f"v{i}", *further], [f"v{i + 1}"]) for i in range(count)]


@pytest.mark.parametrize(
    ("nodes", "constants", "why"),
    [
        ([node("ConstantOfShape", ["sizes"], ["a"])], [("sizes", [2**16, 2**15])], " bytes, more than "),
        ([node("Expand", ["state.0", "sizes"], ["a"])], [("sizes", [1, 2**30])], " bytes, more than "),
        ([node("Tile", ["state.0", "sizes"], ["a"])], [("sizes", [1, 2**30])], " bytes, more than "),
        ([node("Tile", ["state.0", "sizes"], ["a"])], [("sizes", [1, 2**62])], "makes a value that is too large"),
        (
            [node("Range", ["from", "to", "by"], ["a"])],
            [("from", 0), ("to", 2**60), ("by", 1)],
            "more than 1,048,576",
        ),
        (
            [node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0) for i in range(40)],
            [("v0", [1.0])],
            "more than ",
        ),
        (
            [node("ConstantOfShape", ["sizes"], ["v0"]), *chain(30, "MatMul", "v0")],
            [("sizes", [512, 512])],
            " multiplications, more than ",
        ),
        (
            [node("MatMul", ["column", "row1"], ["square"]), node("MatMul", ["square", "square"], ["a"])],
            [("column", np.ones((9000, 1), np.float32)), ("row1", np.ones((1, 9000), np.float32))],
            "more than",
        ),
    ],
)
def test_what_a_step_costs_is_in_proportion_to_the_file(
    tmp_path: Path, nodes: list[Any], constants: list[tuple[str, Any]], why: str
) -> None:
    assert why in refusal(tmp_path, stepping(*nodes, constants=constants))


def test_a_cost_that_grows_with_the_square_of_the_batch_is_refused(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", ["row"], ["turned"]),
        node("MatMul", ["row", "turned"], ["all pairs"]),
        node("Concat", ["all pairs"] * 40, ["many"], axis=0),
    ]
    assert "a step of 4096 texts takes " in refusal(tmp_path, stepping(*nodes))


def test_a_strange_graph_is_run_where_that_is_asked_for(tmp_path: Path) -> None:
    model = stepping(node("NonZero", ["row"], ["places"]))
    path = save(tmp_path / "m.onnx", model, metadata(letters()).to_properties())
    with pytest.raises(ModelFileError, match=r"'NonZero' is not one that a model file may use; trust='graph'"):
        genrun.load(path, device="cpu")
    trusted = genrun.load(path, device="cpu", trust="graph")
    assert len(trusted.generate("a", max_new_tokens=3)) == 1  # all logits are alike: the first token ends the text
    with pytest.raises(OptionError, match="trust must be 'nothing' or 'graph', not 'all'"):
        genrun.load(path, device="cpu", trust="all")


ATTENTION = """
<ir_version: 8, opset_import: ["" : 18]>
step (int64[batch] token, float[batch, 6, 8] "state.0", float[batch, 6, 8] "state.1") => (
    float[batch, 30] logits, float[batch, 6, 8] "state.0.next", float[batch, 6, 8] "state.1.next") {
    hidden = Gather <axis = 0> (vectors, token)
    scaled = LayerNormalization <axis = -1> (hidden, scale, shift)
    key = MatMul (scaled, keys)
    value = MatMul (scaled, values)
    query = MatMul (scaled, queries)
    new_key = Unsqueeze (key, one)
    new_value = Unsqueeze (value, one)
    longer_keys = Concat <axis = 1> ("state.0", new_key)
    longer_values = Concat <axis = 1> ("state.1", new_value)
    "state.0.next" = Slice (longer_keys, one, seven, one)
    "state.1.next" = Slice (longer_values, one, seven, one)
    asked = Unsqueeze (query, two)
    products = MatMul ("state.0.next", asked)
    scores = Squeeze (products, two)
    weights = Softmax <axis = -1> (scores)
    row = Unsqueeze (weights, one)
    seen = MatMul (row, "state.1.next")
    flat = Squeeze (seen, one)
    size = Shape (flat)
    shaped = Reshape (flat, size)
    added = Add (hidden, shaped)
    wide = Gemm <transB = 1> (added, vectors)
    bent = Erf (wide)
    logits = Add (wide, bent)
}
"""

LAYERS = """
<ir_version: 8, opset_import: ["" : 18]>
step (int64[batch] token, float[batch, 5] "state.0", float[batch, 5] "state.1") => (
    float[batch, 30] logits, float[batch, 5] "state.0.next", float[batch, 5] "state.1.next") {
    hidden = Gather <axis = 0> (vectors, token)
    sequence = Unsqueeze (hidden, zero)
    output0 = Unsqueeze ("state.0", zero)
    cell0 = Unsqueeze ("state.1", zero)
    outputs, output, cell = LSTM <hidden_size = 5> (sequence, kernel, recurrent, bias, , output0, cell0)
    "state.0.next" = Squeeze (output, zero)
    "state.1.next" = Squeeze (cell, zero)
    row = MatMul ("state.0.next", last)
    followers = Gather <axis = 0> (table, token)
    found = GatherND <batch_dims = 1> (row, places)
    more = ScatterElements <axis = 1, reduction = "add"> (row, followers, raises)
    logits = Identity (more)
}
"""


def written_out(text: str, **constants: Any) -> Any:
    """Return the model of a text in ONNX's own notation, with random constants of the given shapes."""
    model = parser.parse_model(text.replace("found = GatherND <batch_dims = 1> (row, places)", ""))
    chance = np.random.default_rng(1)
    for name, shape in constants.items():
        value = np.asarray(shape) if isinstance(shape, list) else chance.normal(0, 0.5, shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    return model


def test_an_attention_network_with_a_window_of_keys_and_values_is_run(tmp_path: Path) -> None:
    model = written_out(
        ATTENTION, vectors=(30, 8), scale=(8,), shift=(8,), keys=(8, 8), values=(8, 8), queries=(8, 8),
        one=[1], two=[2], seven=[7],
    )  # fmt: skip
    loaded = genrun.load(save(tmp_path / "m.onnx", model, metadata(letters()).to_properties()), device="cpu")
    alone = [loaded.generate(prompt, max_new_tokens=9) for prompt in ("ab", "c")]
    assert [result.text for result in loaded.generate_many(["ab", "c"], max_new_tokens=9)] == alone


def test_a_recurrent_layer_of_onnx_with_a_table_of_followers_is_run(tmp_path: Path) -> None:
    followers = [[i, (i + 1) % 30] for i in range(30)]
    model = written_out(
        LAYERS, vectors=(30, 4), kernel=(1, 20, 4), recurrent=(1, 20, 5), bias=(1, 40), last=(5, 30), zero=[0],
        table=followers, places=[[0]], raises=(1, 2),
    )  # fmt: skip
    model.graph.node[-2].input[2] = "raised"
    shape = node("Shape", ["followers"], ["shape"])
    model.graph.node.insert(len(model.graph.node) - 2, shape)
    model.graph.node.insert(len(model.graph.node) - 2, node("Expand", ["raises", "shape"], ["raised"]))
    loaded = genrun.load(save(tmp_path / "m.onnx", model, metadata(letters()).to_properties()), device="cpu")
    assert len(loaded.generate("a", max_new_tokens=9)) >= 1


@pytest.mark.parametrize("batch", [1, 3])
def test_the_rules_tell_the_shapes_and_types_that_onnxruntime_makes(tmp_path: Path, batch: int) -> None:
    """Of 600 random uses of operators; the checker's memory bound rests on it."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    base, seen = base_files(tmp_path)[0], set[str]()
    for number in range(600):
        content = with_operator(base, random.Random(f"shapes {number}"))
        try:
            made = values_at(read_onnx(memoryview(content)).graph, batch, Cost())
            session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
            names = [value.name for value in session.get_outputs() if value.name.startswith("made.")]
            fed = {"token": np.arange(batch), "state.0": np.zeros((batch, 1), np.float32)}
            found = session.run(names, fed)
        except Exception:  # refused by one of them, which other tests look at
            continue
        operator = next(item for item in onnx.ModelProto.FromString(content).graph.node if "made.0" in item.output)
        seen.add(operator.op_type)
        for name, value in zip(names, found, strict=True):
            told = made[name.removesuffix(".float")]
            assert len(told.shape) == value.ndim, operator.op_type
            fits = [size <= most if i - value.ndim in told.loose else size == most
                    for i, (size, most) in enumerate(zip(value.shape, told.shape, strict=True))]  # fmt: skip
            assert all(fits), (operator.op_type, told, value.shape)
    assert len(seen) > len(OPERATORS) // 2


def test_a_file_that_was_changed_since_its_export_is_noticed(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    content = with_digest(path.read_bytes())
    path.write_bytes(content)
    assert genrun.load(path, device="cpu").generate("a") == "abcdef"
    chance = random.Random(4)
    for _ in range(30):
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(ModelFileError):
            genrun.load(path, device="cpu")


def test_operators_that_a_reader_does_not_know_are_refused() -> None:
    with pytest.raises(Malformed):
        read_onnx(memoryview(b"\x08\x08"))
    with pytest.raises(Refused):
        OPERATORS["If"].rule(None)  # type: ignore[arg-type]


def test_of_a_damaged_file_it_is_said_that_it_is_damaged_whatever_its_graph_has_become(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    path.write_bytes(with_digest(path.read_bytes()).replace(b"Gather", b"Gathes"))
    with pytest.raises(ModelFileError, match=r"m\.onnx is damaged: its content is not what its digest"):
        genrun.load(path, device="cpu")
