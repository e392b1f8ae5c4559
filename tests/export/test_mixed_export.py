"""A network mixed with counts: one file that predicts as both together, and a gate that finds what is wrong in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import genrun
from genrun.contracts import ReadReport
from genrun.errors import ExportError, RunFolderError
from genrun.registry import make_reader
from genrun_core.counting.counting_file import save_counting
from genrun_core.counting.mixed import Mixed
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_export.counting.mixed_gate import check_mixture
from genrun_export.counting.mixing import with_counting
from genrun_export.exporting import export
from genrun_export.file.file_content import session_over
from genrun_export.gate.prompts import choose_prompts
from support.trained import mixed_of, train

SIZES = {"hidden_size": "24", "embedding_size": "16", "epochs": "4", "vocabulary_limit": "300"}


@pytest.fixture(scope="module")
def run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {**SIZES, "reader": "nyt-csv"}
    return train([samples / "headlines"], "default", tmp_path_factory.mktemp("mixed") / "run", settings)


@pytest.fixture(scope="module")
def model_file(run: Path) -> Path:
    export(run, run.parent / "model.onnx")
    return run.parent / "model.onnx"


def test_the_card_says_how_much_better_the_mixture_is(run: Path, model_file: Path) -> None:
    card = RunFolder.open(run).card()
    assert card["mixture"]["perplexity"] < card["training"]["val_perplexity"]
    assert card["mixture"]["known_perplexity"] > 1
    model = genrun.load(model_file, device="cpu")
    assert model.card["mixture"] == card["mixture"]
    assert model.card["counting"] == card["counting"]


def test_a_run_and_its_file_predict_the_same(run: Path, model_file: Path, samples: Path) -> None:
    corpus = [str(samples / "songs")]
    text = PluginChoice("text")
    by_run, by_file = (evaluate(path, corpus, text) for path in (run, model_file))
    assert by_file.perplexity == pytest.approx(by_run.perplexity, rel=1e-5)
    assert by_file.known_perplexity == pytest.approx(by_run.known_perplexity, rel=1e-5)
    running = [evaluate(path, corpus, text, running_text=True).perplexity for path in (run, model_file)]
    assert running[0] == pytest.approx(running[1], rel=1e-5)
    assert running[0] != by_run.perplexity


def test_the_held_out_perplexity_of_the_card_is_what_evaluate_finds(run: Path, samples: Path, tmp_path: Path) -> None:
    folder = RunFolder.open(run)
    lines = list(make_reader("nyt-csv").read([str(samples / "headlines")], ReadReport()))
    held_out = [lines[i] for i in folder.shards(folder.tokenizer()).held_out]
    (tmp_path / "held-out.txt").write_text("\n".join(held_out), "utf-8")
    found, card = evaluate(run, [str(tmp_path / "held-out.txt")], PluginChoice("text")), folder.card()["mixture"]
    # The weights behind the card's figures are from other documents.
    assert found.known_perplexity == pytest.approx(card["known_perplexity"], rel=0.02)
    assert found.perplexity == pytest.approx(card["perplexity"], rel=0.02)


def test_texts_do_not_depend_on_the_batch(model_file: Path) -> None:
    model = genrun.load(model_file, device="cpu")
    prompts = ["", "The Council", "A Bridge", "What"] * 8
    for decoder in ("greedy", "top-k", "temperature", "top-p"):
        together = model.generate_many(prompts, seed=3, decoder=decoder)
        for prompt, result in list(zip(prompts, together, strict=True))[:4]:
            assert model.generate(prompt, seed=3, decoder=decoder) == result.text


@pytest.mark.parametrize("quantize", ["int8", "fp16"])
def test_a_quantized_mixture_keeps_its_counts(run: Path, quantize: str, tmp_path: Path) -> None:
    figures = export(run, tmp_path / "small.onnx", quantize)
    assert figures.quantization is not None
    assert figures.mixture is not None
    graph = onnx.load(tmp_path / "small.onnx").graph
    values = next(tensor for tensor in graph.initializer if tensor.name == "counting.values")
    assert values.data_type == onnx.TensorProto.FLOAT
    assert genrun.load(tmp_path / "small.onnx", device="cpu").generate("The") != ""


def _change(name: str, by: float) -> Any:
    def plant(graph: onnx.GraphProto) -> None:
        [tensor] = [tensor for tensor in graph.initializer if tensor.name == f"counting.{name}"]
        values = numpy_helper.to_array(tensor).copy()
        values[: len(values) // 2] += np.asarray(by, values.dtype)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    return plant


def _reverse(name: str) -> Any:
    def plant(graph: onnx.GraphProto) -> None:
        [tensor] = [tensor for tensor in graph.initializer if tensor.name == f"counting.{name}"]
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[::-1].copy(), tensor.name))

    return plant


def _swap_states(graph: onnx.GraphProto) -> None:
    """The network's two states come out in each other's place."""
    for node in graph.node:
        other = {"state.0.next": "state.1.next", "state.1.next": "state.0.next"}
        node.output[:] = [other.get(name, name) for name in node.output]


def _stale_context(graph: onnx.GraphProto) -> None:
    """The context of two tokens is that of the step before."""
    last = f"state.{sum(value.name.startswith('state.') for value in graph.input) - 1}"
    for node in graph.node:
        if f"{last}.next" in node.output:
            node.input[0] = "counting.stale"
    graph.node.insert(0, onnx.helper.make_node("Concat", [last, last], ["counting.stale"], axis=1))


FAULTS = {
    "values": _change("values", 0.01),
    "factors": _change("factors", 0.01),
    "followers in another order": _reverse("followers"),
    "offsets": _change("offsets", 1),
    "contexts that are not found": _change("keys", 1),
    "states exchanged": _swap_states,
    "a stale context": _stale_context,
}


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_gate_finds_what_is_wrong_with_the_counts(fault: str | None, run: Path, tmp_path: Path) -> None:
    folder, mixed = RunFolder.open(run), mixed_of(run)
    tokenizer = folder.tokenizer()
    alone, both = _steps(run)
    if fault is not None:
        FAULTS[fault](both.graph)
    file = session_over(both, tmp_path / "both.onnx", len(tokenizer))
    network = session_over(alone, tmp_path / "alone.onnx", len(tokenizer))
    documents = [prompt.document for prompt in choose_prompts(tokenizer, folder.shards(tokenizer))]
    if fault is None:
        figures = check_mixture(file, network, mixed, documents)
        assert figures.largest_difference < 1e-5
        assert figures.fed_ids == len(tokenizer)
        return
    with pytest.raises(ExportError, match=r"^refused: log-probabilities of the file and of the mixture differ by"):
        check_mixture(file, network, mixed, documents)


def _steps(run: Path) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The step of the network alone, and with the counts."""
    from genrun_core.network.network_file import load_network_of
    from genrun_export.graph.step import make_step
    from support.converted import to_onnx

    folder = RunFolder.open(run)
    alone = to_onnx(make_step(load_network_of(folder, folder.recipe(), folder.tokenizer())))
    return alone, with_counting(alone, mixed_of(run))


def test_a_training_that_goes_on_is_mixed_again_and_an_unfinished_one_not_at_all(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    resume(copy, epochs=5)
    card = RunFolder.open(copy).card()
    mixed = mixed_of(copy)
    assert mixed.weights == card["training"]["weights"]
    # of other weights, as where a kill came between an epoch and its end
    save_counting(copy / "counting.npz", Mixed(mixed.model, mixed.mixture, "0" * len(mixed.weights)))
    export(copy, tmp_path / "model.onnx")
    assert "mixture" not in genrun.load(tmp_path / "model.onnx", device="cpu").card


def test_counts_that_are_damaged_are_named(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "counting.npz").write_bytes((copy / "counting.npz").read_bytes()[:-200])
    with pytest.raises(RunFolderError, match=r"counting\.npz"):
        export(copy, tmp_path / "model.onnx")


def test_counts_that_are_missing_are_counted_again(run: Path, model_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "counting.npz").unlink()
    remedy = r"counting\.npz is missing: genrun train --resume .*run counts it again"
    with pytest.raises(RunFolderError, match=remedy):
        export(copy, tmp_path / "model.onnx")
    resume(copy)
    export(copy, tmp_path / "model.onnx")
    card = genrun.load(model_file, device="cpu").card
    assert genrun.load(tmp_path / "model.onnx", device="cpu").card["mixture"] == card["mixture"]
    before, after = mixed_of(run).to_arrays(), mixed_of(copy).to_arrays()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_training_without_held_out_documents_says_why_nothing_is_mixed(samples: Path, tmp_path: Path) -> None:
    from genrun_core.recipes.recipe import load_recipe
    from genrun_core.training import train as training

    said: list[str] = []
    recipe = load_recipe("default", {**SIZES, "epochs": "1", "validation": "0", "patience": "0"}, "nyt-csv")
    training.train([str(samples / "headlines")], recipe, tmp_path / "run", say=said.append)
    assert any("counting=true needs documents held out" in line for line in said)
    assert not (tmp_path / "run" / "counting.npz").exists()
    assert "mixture" not in json.loads((tmp_path / "run" / "card.json").read_text("utf-8"))
