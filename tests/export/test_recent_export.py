"""A running text whose words come again: recent words are mixed in, exported, and held to what the run predicts."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import genrun
from genrun.errors import ExportError
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder
from genrun_export.counting.mixed_gate import check_mixture
from genrun_export.counting.mixing import with_counting
from genrun_export.exporting import export
from genrun_export.file.file_content import session_over
from genrun_export.gate.prompts import choose_prompts
from support.trained import mixed_of, train

SIZES = {"hidden_size": "16", "embedding_size": "16", "epochs": "2", "casing": "none"}
RECENT = {"running_text": "true", "recent": "40"}


def chapters(seed: int, count: int) -> str:
    """A text of chapters, each with a few names of its own."""
    draw = random.Random(seed)
    names = [
        f"{first}{second}" for first in ("an", "be", "ka", "lo", "mi", "ru") for second in ("na", "ro", "ta", "li")
    ]
    lines = []
    for _ in range(count):
        few = draw.sample(names, 3)
        lines += [
            f"{draw.choice(few)} {draw.choice(('sees', 'calls', 'asks'))} {draw.choice(few)}" for _ in range(12)
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recent")
    (folder / "book.txt").write_text(chapters(0, 60), "utf-8")
    return train([folder / "book.txt"], "default", folder / "run", {**SIZES, **RECENT})


@pytest.fixture(scope="module")
def model_file(run: Path) -> Path:
    export(run, run.parent / "model.onnx")
    return run.parent / "model.onnx"


def test_recent_words_help_and_the_card_says_how_much(run: Path, model_file: Path) -> None:
    card = RunFolder.open(run).card()
    assert card["mixture"]["recent"] == 40
    assert card["mixture"]["perplexity"] < 0.9 * card["training"]["val_perplexity"]
    assert genrun.load(model_file, device="cpu").card["mixture"] == card["mixture"]
    recent = mixed_of(run).recent
    assert recent is not None
    assert recent.size == 40


def test_a_run_and_its_file_predict_the_same(run: Path, model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text(chapters(1, 8), "utf-8")
    corpus, text = [str(tmp_path / "other.txt")], PluginChoice("text")
    for running_text in (True, False):
        found = [evaluate(path, corpus, text, running_text=running_text).perplexity for path in (run, model_file)]
        assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_text_is_the_same_alone_and_in_a_batch_and_speaks_of_what_its_prompt_does(model_file: Path) -> None:
    model = genrun.load(model_file, device="cpu")
    prompts = ["anna sees ruli\nruli calls anna\n" * 3, "mita asks", ""] * 4
    together = model.generate_many(prompts, seed=3, max_new_tokens=30)
    assert [result.text for result in together[:3]] == [
        model.generate(prompt, seed=3, max_new_tokens=30) for prompt in prompts[:3]
    ]
    after, before = (
        {suggestion.text: suggestion.probability for suggestion in model.suggest(prompt, n=30)}
        for prompt in ("anna sees ruli\nruli calls anna\nruli asks ", "mita asks ")
    )
    assert after["anna"] > before["anna"]


def _add(name: str, by: float) -> Any:
    def plant(graph: onnx.GraphProto) -> None:
        [tensor] = [tensor for tensor in graph.initializer if tensor.name == f"recent.{name}"]
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(values + by, values.dtype), tensor.name))

    return plant


def _reversed_fading(graph: onnx.GraphProto) -> None:
    [tensor] = [tensor for tensor in graph.initializer if tensor.name == "recent.fading"]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[::-1].copy(), tensor.name))


def _stale_state(graph: onnx.GraphProto) -> None:
    """What comes out is what went in."""
    last = f"state.{sum(value.name.startswith('state.') for value in graph.input) - 1}"
    for node in graph.node:
        if f"{last}.next" in node.output:
            node.CopyFrom(onnx.helper.make_node("Identity", [last], [f"{last}.next"]))


FAULTS = {
    "weights": _add("fading", 1e-3),
    "near and far exchanged": _reversed_fading,
    "matches": _add("one_matches", 1),
    "matches of two": _add("two_match", 1),
    "all tokens": _add("plain", 0.1),
    "a stale state": _stale_state,
}


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_gate_finds_what_is_wrong_with_recent_words(fault: str | None, run: Path, tmp_path: Path) -> None:
    from genrun_core.network.network_file import load_network_of
    from genrun_export.graph.step import make_step
    from support.converted import to_onnx

    folder, mixed = RunFolder.open(run), mixed_of(run)
    tokenizer = folder.tokenizer()
    alone = to_onnx(make_step(load_network_of(folder, folder.recipe(), tokenizer)))
    both = with_counting(alone, mixed)
    documents = [prompt.document for prompt in choose_prompts(tokenizer, folder.shards(tokenizer))]
    network = session_over(alone, tmp_path / "alone.onnx", len(tokenizer))
    if fault is None:
        file = session_over(both, tmp_path / "both.onnx", len(tokenizer))
        assert check_mixture(file, network, mixed, documents).largest_difference < 1e-5
        return
    FAULTS[fault](both.graph)
    file = session_over(both, tmp_path / "both.onnx", len(tokenizer))
    with pytest.raises(ExportError, match=r"^refused: log-probabilities of the file and of the mixture differ by"):
        check_mixture(file, network, mixed, documents)
