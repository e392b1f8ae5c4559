"""Opening model files: what is no model, and what is no decoding step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import genrun
from genrun.errors import GenrunError, ModelFileError
from genrun.generating.stepping.session import StepSession
from genrun.loading.opening import MappedFile
from support.alphabet import letters, metadata, save, step_model, write_model


def refusal(path: Path, error: type[GenrunError] = ModelFileError, **how: Any) -> str:
    with pytest.raises(error) as caught:
        genrun.load(path, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.onnx"
    assert refusal(path) == f"{path}: cannot open the model file: No such file or directory"


def test_a_folder_is_no_model_and_a_run_folder_is_recognized(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder, not a model file"
    (tmp_path / "run.toml").touch()
    assert refusal(tmp_path).endswith("not a model file (a run folder: genrun export makes a model file of it)")


def test_a_path_that_no_file_can_have_is_an_error_too() -> None:
    assert refusal(Path("a\0b.onnx")) == "'a\\x00b.onnx': cannot open the model file: embedded null byte"


def test_an_empty_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    assert refusal(path) == f"{path} is empty, not a model file"


@pytest.mark.parametrize("content", [b"hello, world\n", b"\x00" * 100, b"PK\x03\x04zip", bytes(range(256)) * 8])
def test_other_files_are_no_models(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path} is ")


@pytest.mark.parametrize("percent", [1, 5, 10, 25, 50, 75, 90, 99])
def test_a_truncated_file_is_no_model(tmp_path: Path, alphabet_file: Path, percent: int) -> None:
    whole = alphabet_file.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: len(whole) * percent // 100])
    assert refusal(path).startswith(str(path))


def test_a_plain_onnx_file_is_told_apart(tmp_path: Path) -> None:
    path = save(tmp_path / "plain.onnx", step_model(np.zeros((3, 3))), {})
    assert "is an ONNX file, but not one that genrun exported" in refusal(path)


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", table=np.zeros((30, 31)))
    assert (
        refusal(path) == f"{path}: the graph's logits have the shape ['batch', 31], but the tokenizer has 30 tokens"
    )


def rename(old: str, new: str) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for value in [*model.graph.input, *model.graph.output]:
            value.name = new if value.name == old else value.name
        for node in model.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]
            node.output[:] = [new if name == old else name for name in node.output]

    return change


def reshape(name: str, shape: list[Any], kind: int = TensorProto.FLOAT) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for value in [*model.graph.input, *model.graph.output]:
            if value.name == name:
                value.CopyFrom(helper.make_tensor_value_info(name, kind, shape))

    return change


def scalar_logits(model: Any) -> None:
    node = helper.make_node("ReduceSum", ["sums"], ["logits"], keepdims=0)
    rename("logits", "sums")(model)
    model.graph.node.append(node)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, []))


def logits_of(kind: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        rename("logits", "precise")(model)
        model.graph.node.append(helper.make_node("Cast", ["precise"], ["logits"], to=kind))
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", kind, ["batch", 30]))

    return change


def state_of(kind: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.input.append(helper.make_tensor_value_info("state.1", kind, ["batch", 1]))
        model.graph.output.append(helper.make_tensor_value_info("state.1.next", kind, ["batch", 1]))
        model.graph.node.append(helper.make_node("Identity", ["state.1"], ["state.1.next"]))

    return change


def extra_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("temperature", TensorProto.FLOAT, ["batch"]))


def changed(path: Path, change: Callable[[Any], None]) -> Path:
    model = step_model(np.zeros((30, 30)))
    change(model)
    return save(path, model, metadata(letters()).to_properties())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename("token", "word"), "the graph has no 'token': it is not a genrun decoding step"),
        (rename("logits", "scores"), "the graph has no 'logits': it is not a genrun decoding step"),
        (rename("state.0.next", "following"), "the graph has no 'state.0.next': it is not a genrun decoding step"),
        (
            reshape("state.0", ["batch", "width"]),
            "the graph's 'state.0' has the shape [?, ?], not a number for each dimension",
        ),
        (reshape("state.0", []), "the graph's 'state.0' has the shape [], not a number for each dimension"),
        (state_of(TensorProto.BOOL), "the graph's 'state.1' has the type bool, which no state has"),
        (reshape("state.0.next", ["batch", 2]), "the graph's 'state.0.next' is float32 [?, 2], not float32 [?, 1]"),
        (reshape("token", ["batch", 1], TensorProto.INT64), "the graph's 'token' is int64 [?, 1], not int64 [?]"),
        (reshape("token", ["batch"], TensorProto.INT32), "the graph's 'token' is int32 [?], not int64 [?]"),
        (logits_of(TensorProto.FLOAT16), "the graph's logits are float16 [?, 30], not float32 [?, vocabulary]"),
        (logits_of(TensorProto.DOUBLE), "the graph's logits are float64 [?, 30], not float32 [?, vocabulary]"),
        (scalar_logits, "the graph's logits are float32 [], not float32 [?, vocabulary]"),
        (extra_input, "the graph needs an input 'temperature' that this genrun does not know"),
    ],
)
def test_a_graph_that_is_no_decoding_step_is_refused(
    tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    path = changed(tmp_path / "m.onnx", change)
    assert refusal(path).startswith(f"{path}: {message}")


def stack_of_states(count: int) -> Callable[[Any], None]:
    """More states, each of which counts in steps of its number."""

    def change(model: Any) -> None:
        for number in range(1, count):
            name = f"state.{number}"
            model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1]))
            model.graph.output.append(helper.make_tensor_value_info(f"{name}.next", TensorProto.FLOAT, ["batch", 1]))
            model.graph.initializer.append(numpy_helper.from_array(np.full(1, number, np.float32), f"step.{number}"))
            model.graph.node.append(helper.make_node("Add", [name, f"step.{number}"], [f"{name}.next"]))

    return change


def test_states_are_sorted_by_their_numbers(tmp_path: Path) -> None:
    session = StepSession(MappedFile(changed(tmp_path / "m.onnx", stack_of_states(12))), device="cpu")
    session.bind(30)
    assert [state.name for state in session.states] == [f"state.{number}" for number in range(12)]
    _, following = session.step(np.array([4]), session.initial_states(1))
    assert [float(state[0, 0]) for state in following] == [1.0, *range(1, 12)]


def huge_state(model: Any) -> None:
    shape = ["batch", 2**29]
    model.graph.input.append(helper.make_tensor_value_info("state.1", TensorProto.FLOAT, shape))
    model.graph.output.append(helper.make_tensor_value_info("state.1.next", TensorProto.FLOAT, shape))
    model.graph.node.append(helper.make_node("Identity", ["state.1"], ["state.1.next"]))


def test_states_out_of_proportion_to_the_file_are_refused(tmp_path: Path) -> None:
    path = changed(tmp_path / "m.onnx", huge_state)
    assert "the graph is refused: its states have 536,870,913 numbers a text; at most " in refusal(path)


def test_texts_as_states_are_refused(tmp_path: Path) -> None:
    message = refusal(changed(tmp_path / "m.onnx", state_of(TensorProto.STRING)))
    assert "the graph's 'state.1' is not a tensor of an accepted type" in message


def doubled(output: str) -> Callable[[Any], None]:
    """Return every row of an output twice."""

    def change(model: Any) -> None:
        rename(output, "once")(model)
        model.graph.node.append(helper.make_node("Concat", ["once", "once"], [output], axis=0))
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", "width"]))
        [old] = [value for value in model.graph.output if value.name == "once"]
        model.graph.output.remove(old)

    return change


def test_a_step_that_returns_other_rows_than_it_got_is_an_error(tmp_path: Path) -> None:
    model = step_model(np.zeros((30, 30)))
    doubled("state.0.next")(model)
    wrong_states = save(tmp_path / "states.onnx", model, metadata(letters()).to_properties())
    loaded = genrun.load(wrong_states, device="cpu", trust="graph")
    for batch in (1, 3):
        with pytest.raises(ModelFileError) as caught:
            list(loaded.score_each(["ab"] * batch))
        assert str(caught.value) == (
            f"{wrong_states}: the decoding step does not return one row for each of its {batch}"
        )
        with pytest.raises(ModelFileError, match=r"states\.onnx: the decoding step failed: ") as caught:
            loaded.generate_many(["a"] * batch)
        assert "\n" not in str(caught.value)


def test_logits_of_the_wrong_rows_are_an_error_too(tmp_path: Path) -> None:
    def change(model: Any) -> None:
        doubled("logits")(model)
        [value] = [value for value in model.graph.output if value.name == "logits"]
        value.CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 30]))

    model = genrun.load(changed(tmp_path / "m.onnx", change), device="cpu", trust="graph")
    with pytest.raises(ModelFileError, match="does not return one row for each of its 1"):
        model.score("a")
    with pytest.raises(ModelFileError, match="the decoding step failed: "):
        model.generate("a")


def test_states_are_read_off_the_graph(alphabet_file: Path) -> None:
    session = StepSession(MappedFile(alphabet_file), device="cpu")
    session.bind(30)
    [state] = session.states
    assert (state.name, state.shape) == ("state.0", (1,))
    assert state.dtype == np.float32
    [zeros] = session.initial_states(3)
    assert (zeros.tolist(), zeros.dtype) == ([[0.0]] * 3, np.dtype(np.float32))
    logits, [following] = session.step(np.array([4, 5, 6]), [zeros])
    assert logits.shape == (3, 30)
    assert logits.argmax(axis=1).tolist() == [5, 6, 7]
    assert following.tolist() == [[1.0], [1.0], [1.0]]


def test_the_file_is_an_ordinary_onnx_model(alphabet_file: Path) -> None:
    onnx.checker.check_model(onnx.load(str(alphabet_file)))
