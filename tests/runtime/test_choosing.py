"""Choosing in the graph: the same ids as the built-in decoders, from any logits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from genrun.contracts import Decoder
from genrun.errors import ModelFileError
from genrun.generating.choosing.chooser import Chooser
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.stepping.session import StepSession
from genrun.loading.opening import MappedFile
from genrun_export.graph.choosing import add_choosing
from genrun_plugins.decoders.greedy import Greedy
from genrun_plugins.decoders.temperature import Temperature
from genrun_plugins.decoders.top_k import TopK
from support.alphabet import babble_table, save, step_model

Logits = NDArray[np.float32]
SUPPRESSED = (0, 2)
LAST = 1 - 2**-24  # the largest draw there is

sizes = st.sampled_from([3, 9, 127, 128, 129, 300])  # around the blocks of 128 that the graph sums by
pool = st.lists(
    st.sampled_from([-math.inf, -2.0, -1.0, 0.0, 1.0]) | st.floats(-30, 30, width=32), min_size=2, max_size=9
)
draws = st.sampled_from([0.0, 2**-24, 0.25, 0.5, 0.75, LAST]) | st.floats(0, LAST, width=32)
temperatures = st.sampled_from([1e-310, 1e-30, 0.5, 1.0, 2.0, 1e30, 1e308]) | st.floats(0.05, 20)
decoders = (
    st.just(Greedy())
    | temperatures.map(Temperature)
    | st.builds(TopK, st.sampled_from([1, 2, 3, 40, 127, 128, 10**30]) | st.integers(1, 310), temperatures)
)


def echo(size: int) -> Any:
    """Return a step whose logits are whatever its state is."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", size]) for n in ("state.0", "logits")]
    following = helper.make_tensor_value_info("state.0.next", TensorProto.FLOAT, ["batch", size])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["state.0"], [name]) for name in ("logits", "state.0.next")],
        "echo",
        [helper.make_tensor_value_info("token", TensorProto.INT64, ["batch"]), values[0]],
        [values[1], following],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], StepSession]:
    folder = tmp_path_factory.mktemp("echoes")

    @cache
    def opened(size: int) -> StepSession:
        model = echo(size)
        add_choosing(model, SUPPRESSED)
        opened = StepSession(MappedFile(save(folder / f"{size}.onnx", model, {})), device="cpu")
        opened.bind(size)
        assert opened.chooses
        return opened

    return opened


def chosen(
    session: StepSession, decoder: Decoder, logits: Logits, draws: Sequence[float], choose_with: ChooseWith
) -> tuple[list[int], list[float]]:
    """Return what is chosen from ``logits``, and the log-probabilities."""
    chooser = Chooser(session, decoder, SUPPRESSED, log_probabilities=True, choose_with=choose_with)
    chooser.replace_finished([], [Tokens([3], []) for _ in draws])
    chooser._step.load({"state.0": logits})
    assert chooser.step(None, [], []) == ([], [])
    chooser._step.load({"state.0": logits})
    return chooser.step(None, range(len(draws)), draws)


def in_numpy(decoder: Decoder, logits: Logits, draws: Sequence[float]) -> list[int]:
    allowed = logits.copy()
    allowed[:, SUPPRESSED] = -np.inf
    ids: list[int] = decoder.choose(allowed, [], np.array(draws, np.float32)).tolist()
    return ids


@given(sizes, pool, st.lists(draws, min_size=1, max_size=5), decoders, st.integers(0, 2**32))
@example(9, [0.0, 0.0], [0.0, 0.5, LAST], Temperature(1e308), 0)
@example(300, [0.0, -1.0], [0.25, 0.5, 0.75], Temperature(1.0), 0)
@example(300, [0.0, -1.0], [0.25, 0.5, 0.75], TopK(40), 0)
@settings(max_examples=300)
def test_the_graph_chooses_what_the_decoder_chooses(
    session: Callable[[int], StepSession],
    size: int,
    pool: list[float],
    draws: list[float],
    decoder: Decoder,
    seed: int,
) -> None:
    """Logits from a small pool, so that there are many ties; one token at least can be chosen."""
    random = np.random.default_rng(seed)
    logits = random.choice(np.array(pool, np.float32), (len(draws), size))
    logits[:, random.integers(3, size) if size > 3 else 1] = 1.5
    ids, logs = chosen(session(size), decoder, logits, draws, "graph")
    assert ids == in_numpy(decoder, logits, draws)
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    expected = exact - np.log(np.exp(exact).sum(axis=1, keepdims=True))
    wanted = pytest.approx([row[token] for row, token in zip(expected, ids, strict=True)], abs=2e-5)
    assert logs == wanted
    again = chosen(session(size), decoder, logits, draws, "decoder")
    assert again[0] == ids
    assert again[1] == wanted


@pytest.mark.parametrize("decoder", [Greedy(), TopK(40, 0.8), Temperature(0.9), Temperature(3.0)], ids=repr)
def test_the_graph_chooses_the_same_from_ten_thousand_logits(
    session: Callable[[int], StepSession], decoder: Decoder
) -> None:
    random = np.random.default_rng(5)
    for batch in (1, 64):
        logits = random.normal(0, 3, (batch, 10_007)).astype(np.float32)
        draws = random.random(batch, np.float32).tolist()
        ids, logs = chosen(session(10_007), decoder, logits, draws, "graph")
        assert ids == in_numpy(decoder, logits, draws)
        again = chosen(session(10_007), decoder, logits, draws, "decoder")
        assert again[0] == ids
        assert again[1] == pytest.approx(logs, abs=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("column", [0, 1, 299])
@pytest.mark.parametrize("decoder", [Greedy(), TopK(3), Temperature()], ids=repr)
def test_nothing_is_chosen_from_logits_that_are_no_numbers(
    session: Callable[[int], StepSession], value: float, column: int, decoder: Decoder
) -> None:
    logits = np.zeros((3, 300), np.float32)
    logits[1, column] = value
    ways: tuple[ChooseWith, ...] = ("graph", "decoder")
    for choose_with in ways:
        with pytest.raises(ModelFileError, match="the model's logits are not numbers"):
            chosen(session(300), decoder, logits, [0.5, 0.5, 0.5], choose_with)


def extended(table: Logits) -> tuple[Any, Any]:
    """Return a step without and with the nodes that choose."""
    plain, choosing = step_model(table), step_model(table)
    add_choosing(choosing, SUPPRESSED)
    return plain, choosing


def test_who_does_not_know_the_inputs_need_not_feed_them(tmp_path: Path) -> None:
    """Not in onnxruntime, and not in another implementation of ONNX."""
    paths = [save(tmp_path / f"{i}.onnx", model, {}) for i, model in enumerate(extended(babble_table(30)))]
    feed = {"token": np.array([4, 9]), "state.0": np.zeros((2, 1), np.float32)}
    sessions = [StepSession(MappedFile(path), device="cpu") for path in paths]
    for opened in sessions:
        opened.bind(30)
    assert [opened.chooses for opened in sessions] == [False, True]
    plain, choosing = (opened.step(feed["token"], [feed["state.0"]]) for opened in sessions)
    assert np.array_equal(plain[0], choosing[0])
    assert np.array_equal(plain[1][0], choosing[1][0])
    logits, _, chosen, log = ReferenceEvaluator(onnx.load(paths[1])).run(None, feed)
    assert np.array_equal(logits, plain[0])
    assert chosen.tolist() == [-1, -1]
    assert np.isnan(log).all()


@pytest.mark.parametrize("decoder", [Greedy(), TopK(5, 0.8), Temperature(0.9)], ids=repr)
def test_another_implementation_of_onnx_chooses_the_same(decoder: Any) -> None:
    table = babble_table(300)
    model = extended(table)[1]
    tokens, draws = np.arange(50), np.random.default_rng(1).random(50, np.float32)
    feed = {"token": tokens, "state.0": np.zeros((50, 1), np.float32), "draw": draws.astype(np.float64)[:, None]}
    options = decoder.parameters()
    feed |= {"k": np.array([options["k"]]), "temperature": np.array(options.get("temperature", 1.0))}
    [chosen] = ReferenceEvaluator(model).run(["chosen"], feed)
    assert chosen.tolist() == in_numpy(decoder, table[tokens], draws.tolist())


def test_names_of_the_step_and_of_the_choice_do_not_meet() -> None:
    [graph] = [model.graph for model in extended(babble_table(30))[1:]]
    names = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    own = {"token", "state.0", "logits", "state.0.next", "table", "drift", "one"}
    choosing = {"draw", "temperature", "k", "normalize", "chosen", "chosen_log_probability"}
    assert {name for name in names if not name.startswith("choosing.")} == own | choosing
