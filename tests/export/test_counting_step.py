from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from genrun.loading.device import import_onnxruntime
from genrun.loading.graph.checking import check_graph
from genrun.loading.graph.file import read_onnx
from genrun_core.counting import CountingModel, Mixture, count_ngrams
from genrun_export.counting.hashing import EMPTY, place_keys
from genrun_export.counting.mixing import add_counting
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import WIDTHS, Tables, make_tables
from genrun_export.graph.choosing import add_choosing
from support.counted import END, START, VOCABULARY, joined, some_documents

ORDERS = (2, 3, 4, 5)


def model_of(order: int, *, boundary: bool = False) -> CountingModel:
    ids, offsets = joined(some_documents(framed=not boundary))
    return count_ngrams(ids, offsets, vocabulary=VOCABULARY, order=order, boundary=boundary)


def some_tokens(batch: int, length: int, *, boundary: bool) -> NDArray[np.int64]:
    """Documents in half of the rows, which go on after their end; any tokens in the others."""
    tokens = np.random.default_rng(batch).integers(0, VOCABULARY, (batch, length))
    for row, document in enumerate(some_documents(batch // 2, framed=not boundary, seed=3)):
        tokens[row] = np.resize(document, length)
    return tokens


def run_steps(model: onnx.ModelProto, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
    """Feed tokens ``[batch, time]`` one by one; return the logits ``[time, batch, vocabulary]``."""
    session = import_onnxruntime().InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    states: dict[str, NDArray[Any]] = {}
    for value in model.graph.input:
        if value.name.startswith("state."):
            shape = [len(tokens), *(dim.dim_value for dim in value.type.tensor_type.shape.dim[1:])]
            states[value.name] = np.zeros(
                shape, onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            )
    found = []
    for column in tokens.T:
        logits, *following = session.run(
            ["logits", *(f"{name}.next" for name in states)], {"token": column, **states}
        )
        states = dict(zip(states, following, strict=True))
        found.append(logits)
    return np.stack(found)


def expected_distributions(model: CountingModel, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.stack(
        [[model.distribution(model.contexts(row[: time + 1])) for row in tokens] for time in range(tokens.shape[1])]
    )


def a_network(random: np.random.Generator) -> tuple[onnx.ModelProto, NDArray[np.float32]]:
    """A step whose logits are a row of a table, plus those of the step before by a state."""
    table = random.normal(0, 2, (VOCABULARY, VOCABULARY)).astype(np.float32)
    return _network(table), table


def _network(table: NDArray[np.float32]) -> onnx.ModelProto:
    def value(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, kind, list(shape))

    float32, width = onnx.TensorProto.FLOAT, len(table)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Gather", ["table", "token"], ["row"]),
            onnx.helper.make_node("Add", ["row", "state.0"], ["logits"]),
            onnx.helper.make_node("Identity", ["row"], ["state.0.next"]),
        ],
        "step",
        [value("token", onnx.TensorProto.INT64, "batch"), value("state.0", float32, "batch", width)],
        [value("logits", float32, "batch", width), value("state.0.next", float32, "batch", width)],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)


def a_mixture() -> Mixture:
    return Mixture(np.random.default_rng(4).uniform(0.1, 0.9, (5, 6)), -6.0, -6.0, -5.5)


@pytest.mark.parametrize("boundary", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_the_step_gives_the_models_log_probabilities(order: int, boundary: bool) -> None:
    for widths in (WIDTHS, (3, 2, 1, 1)):
        tables = make_tables(model_of(order, boundary=boundary), widths=widths)
        for batch, length in ((1, 60), (64, 20)):
            tokens = some_tokens(batch, length, boundary=boundary)
            expected = np.log(expected_distributions(tables.model, tokens))
            np.testing.assert_allclose(run_steps(counting_step(tables), tokens), expected, atol=1e-5)


@pytest.mark.parametrize("order", ORDERS)
def test_a_mixed_step_gives_the_mixture_of_both(order: int) -> None:
    boundary = order % 2 == 0
    tables = make_tables(model_of(order, boundary=boundary), a_mixture(), widths=(5, 4, 3, 2))
    step, table = a_network(np.random.default_rng(6))
    add_counting(step, tables)
    tokens = some_tokens(16, 20, boundary=boundary)
    found = run_steps(step, tokens).astype(np.float64)
    before = np.concatenate([np.zeros((1, 16, VOCABULARY)), table[tokens.T[:-1]]])
    expected = _mixed(tables, tokens, _softmax(table[tokens.T] + before))
    np.testing.assert_allclose(np.log(_softmax(found)), np.log(expected), atol=1e-5)


def _mixed(tables: Tables, tokens: NDArray[np.int64], network: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mixture's probabilities, written out one context at a time: [time, batch, vocabulary]."""
    model, mixture, found = tables.model, tables.mixture, np.empty(network.shape)
    assert mixture is not None
    for time, row in np.ndindex(network.shape[:2]):
        length = total = 0
        counts = network[time, row]
        for level, node in enumerate(model.contexts(tokens[row, : time + 1]), 1):
            if node < 0:
                continue
            shares = np.zeros(VOCABULARY)
            for key, share in zip(model.keys[level], model.shares[level], strict=True):
                if key // model.width == node:
                    shares[key % model.width] = share
            counts = shares + model.backoffs[level][node] * counts
            if model.totals[level][node]:
                length, total = level, int(model.totals[level][node])
        weight = mixture.weight(np.array(length), np.array(total))
        found[time, row] = weight * network[time, row] + (1 - weight) * counts
    return found


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


@pytest.mark.parametrize("order", ORDERS)
def test_a_light_install_accepts_the_graphs(order: int) -> None:
    mixed, _ = a_network(np.random.default_rng(0))
    add_counting(mixed, make_tables(model_of(order), a_mixture()))
    for step in (counting_step(make_tables(model_of(order))), mixed):
        add_choosing(step, (0, START))
        check_graph(read_onnx(memoryview(step.SerializeToString())))


def test_a_row_of_a_batch_is_the_row_alone() -> None:
    step, _ = a_network(np.random.default_rng(6))
    add_counting(step, make_tables(model_of(3), a_mixture()))
    tokens = some_tokens(64, 12, boundary=False)
    together = run_steps(step, tokens)
    for row in (0, 1, 63):
        np.testing.assert_allclose(run_steps(step, tokens[row : row + 1])[:, 0], together[:, row], atol=1e-5)


def test_a_model_without_contexts_is_a_step_too() -> None:
    nothing = count_ngrams(*joined([[START], [END]]), vocabulary=VOCABULARY, order=3, boundary=False)
    logits = run_steps(counting_step(make_tables(nothing)), np.array([[5, 6, 7]]))
    np.testing.assert_allclose(logits, np.log(1 / VOCABULARY), atol=1e-6)


def test_tables_are_refused_where_they_do_not_belong() -> None:
    alone, mixed = make_tables(model_of(3)), make_tables(model_of(3), a_mixture())
    step, _ = a_network(np.random.default_rng(0))
    with pytest.raises(ValueError, match="those of a mixture"):
        counting_step(mixed)
    with pytest.raises(ValueError, match="not those of a mixture"):
        add_counting(step, alone)


@pytest.mark.parametrize("count", [0, 1, 7, 5_000])
def test_every_key_is_in_one_of_its_four_slots(count: int) -> None:
    keys = np.random.default_rng(0).permutation(20 * count)[:count] + 10**9
    placed = place_keys(keys)
    np.testing.assert_array_equal(placed.keys[placed.slots], keys)
    assert (placed.keys != EMPTY).sum() == count
    assert ((keys[:, None] % placed.primes) == placed.slots[:, None]).any(axis=1).all()
    assert len(placed.keys) <= max(count / 0.6, 16)


def test_a_model_too_large_for_short_keys_has_long_ones() -> None:
    ids, offsets = joined(some_documents())
    large = 100_000
    model = count_ngrams(ids * (large // VOCABULARY), offsets, vocabulary=large, order=3, boundary=False)
    tables = make_tables(model)
    assert tables.keys.dtype == np.int64
    assert tables.followers.dtype == np.int32
    document = ids[: offsets[1]].astype(np.int64) * (large // VOCABULARY)
    expected = np.log([model.distribution(model.contexts(document[: time + 1])) for time in range(len(document))])
    np.testing.assert_allclose(run_steps(counting_step(tables), document[None])[:, 0], expected, atol=1e-5)
