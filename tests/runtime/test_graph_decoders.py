"""Which way a choice goes: to the graph, where model file and decoder can, and else to the decoder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

import genrun
from genrun.errors import ModelFileError, PluginError
from genrun.loading.device import import_onnxruntime
from genrun.model import Model
from genrun_export.graph.choosing import add_choosing
from support.alphabet import alphabet_table, letters, metadata, save, step_model, write_model

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Declared:
    """A stranger's decoder, which returns the parameters that it was made with."""

    answer: Any

    def choose(self, logits: Logits, tokens: Any, draws: Logits) -> NDArray[np.int64]:
        return np.full(len(logits), 7)

    def parameters(self) -> Any:
        return self.answer


@dataclass(frozen=True)
class Undeclared:
    def choose(self, logits: Logits, tokens: Any, draws: Logits) -> NDArray[np.int64]:
        return np.full(len(logits), 7)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    file = write_model(tmp_path_factory.mktemp("choosing") / "m.onnx", choosing=True)
    return genrun.load(file, device="cpu")


def test_a_decoder_without_parameters_is_given_the_logits(model: Model) -> None:
    assert model.generate("a", decoder=Undeclared(), max_new_tokens=2) == "add"
    assert model.generate("a", decoder=Declared(None), max_new_tokens=2) == "add"


def test_the_graph_stands_in_for_a_decoder_with_parameters(model: Model) -> None:
    assert model.generate("a", decoder=Declared({"k": 1}), max_new_tokens=2) == "abc"
    [all_tokens, many] = (
        model.generate_many(["a"], n=3, decoder=Declared(options), seed=1)
        for options in ({"k": -1, "temperature": 5.0}, {"k": 10**30, "temperature": 5})
    )
    assert all_tokens == model.generate_many(["a"], n=3, decoder="temperature", temperature=5.0, seed=1)
    assert many == model.generate_many(["a"], n=3, decoder="top-k", k=30, temperature=5.0, seed=1)


def test_numpy_chooses_by_the_decoders_own_method(model: Model) -> None:
    """For many rows that is faster than the graph, and there is no other way in NumPy."""
    results = model.generate_many(["a"], n=12, decoder=Declared({"k": 2}), max_new_tokens=2)
    assert {result.text for result in results} == {"add"}


@pytest.mark.parametrize(("answer", "writeable"), [({"k": 2}, False), (None, True)])
def test_logits_are_read_only_for_a_decoder_with_parameters(model: Model, answer: Any, writeable: bool) -> None:
    seen = []

    class Looking(Declared):
        def choose(self, logits: Logits, tokens: Any, draws: Logits) -> NDArray[np.int64]:
            seen.append(logits.flags.writeable)
            return super().choose(logits, tokens, draws)

    model.generate_many(["a"], n=12, decoder=Looking(answer), max_new_tokens=2)
    assert seen == [writeable] * 2


def test_a_decoder_may_overwrite_its_logits(model: Model) -> None:
    class Overwriting(Undeclared):
        def choose(self, logits: Logits, tokens: Any, draws: Logits) -> NDArray[np.int64]:
            logits[:] = 100.0
            return super().choose(logits, tokens, draws)

    first, second = (
        model.generate_many(["a", "bc"], n=5, decoder=decoder, max_new_tokens=2, seed=1)
        for decoder in (Undeclared(), Overwriting())
    )
    assert [r.log_probability for r in first] == [r.log_probability for r in second]


@pytest.mark.parametrize("decoder", ["greedy", "top-k", "temperature"])
def test_the_texts_are_the_same_wherever_they_are_chosen(
    model: Model, monkeypatch: pytest.MonkeyPatch, decoder: str
) -> None:
    """In NumPy, in the graph, and by the decoder: as the file, the device and the number of texts allow."""
    settings = model.settings(decoder=decoder, max_new_tokens=9, seed=4)
    wanted = model.generate_many(["a", "b"], n=9, settings=settings)
    for attribute in ("normalizes", "chooses"):  # files that were exported earlier
        monkeypatch.setattr(model._session, attribute, False)
        for found, expected in zip(model.generate_many(["a", "b"], n=9, settings=settings), wanted, strict=True):
            assert (found.ids, found.finish_reason) == (expected.ids, expected.finish_reason)
            assert found.log_probability == pytest.approx(expected.log_probability, abs=1e-4)


def test_a_file_that_cannot_choose_leaves_it_to_the_decoder(alphabet: Model) -> None:
    assert alphabet.generate("a", decoder=Declared({"k": 1}), max_new_tokens=2) == "add"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"k": 0}, "{'k': 0}"),
        ({"k": -2}, "{'k': -2}"),
        ({"k": 1, "p": 0.9}, "{'k': 1, 'p': 0.9}"),
        ({"k": 1, "temperature": 0}, "{'k': 1, 'temperature': 0}"),
        ({"k": 1, "temperature": math.inf}, "{'k': 1, 'temperature': inf}"),
    ],
)
def test_parameters_that_no_graph_has_are_an_error(model: Model, options: Mapping[str, float], shown: str) -> None:
    with pytest.raises(PluginError) as caught:
        model.generate("a", decoder=Declared(options))
    assert str(caught.value) == (
        "decoder Declared: parameters() must return 'k', -1 or from 1, and optionally 'temperature', above 0, "
        f"not {shown}"
    )


def test_a_decoder_whose_parameters_fail_is_named(model: Model) -> None:
    for answer, cause in (({}, "KeyError: 'k'"), ({"k": "many"}, "ValueError: invalid literal"), (3, "TypeError: ")):
        with pytest.raises(PluginError) as caught:
            model.generate("a", decoder=Declared(answer))
        assert str(caught.value).startswith(f"decoder Declared failed: {cause}")


def test_choosing_of_another_type_is_left_alone(tmp_path: Path) -> None:
    """What a later format may call by the same name."""
    step = step_model(alphabet_table(letters()))
    add_choosing(step, (0, 1, 2))
    step.graph.node[-1].output[0] = "long"
    step.graph.node.append(helper.make_node("Cast", ["long"], ["chosen"], to=TensorProto.INT32))
    [chosen] = [value for value in step.graph.output if value.name == "chosen"]
    chosen.type.tensor_type.elem_type = TensorProto.INT32
    model = genrun.load(save(tmp_path / "m.onnx", step, metadata(letters()).to_properties()), device="cpu")
    assert not model._session.chooses
    assert model.generate("a", decoder=Declared({"k": 1}), max_new_tokens=2) == "add"


def test_a_graph_that_chooses_what_must_not_be_chosen_is_an_error(tmp_path: Path) -> None:
    table = alphabet_table(letters())
    table[5, 1] = 50.0  # <unk> after a b
    step = step_model(table)
    add_choosing(step, suppressed_ids=())
    path = save(tmp_path / "m.onnx", step, metadata(letters()).to_properties())
    model = genrun.load(path, device="cpu")
    settings = model.settings(decoder="top-k", k=2, temperature=0.01, seed=1)
    assert model.generate("c", settings=settings) == "cdefgh"
    with pytest.raises(ModelFileError) as caught:
        model.generate("a", settings=settings)
    assert str(caught.value) == f"{path}: the graph chose the token 1, which must not be chosen"


def test_binding_anew_with_each_step_as_on_a_gpu_changes_nothing(
    babble_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def texts(model: Model) -> list[str]:
        results = model.generate_many(["i", "you don’t stop", ""], n=5, seed=3, batch_size=4)
        return [result.text for result in results]

    expected = texts(genrun.load(babble_file, device="cpu"))
    model, memories = genrun.load(babble_file, device="cpu"), set()
    made = import_onnxruntime().OrtValue
    make = made.ortvalue_from_shape_and_type

    def on_cpu(shape: Any, dtype: Any, memory: str, number: int) -> Any:
        memories.add(memory)
        return make(shape, dtype, "cpu", number)

    monkeypatch.setattr(made, "ortvalue_from_shape_and_type", on_cpu)
    monkeypatch.setattr(model._session, "device", "cuda")
    assert texts(model) == expected
    assert memories == {"cuda"}
