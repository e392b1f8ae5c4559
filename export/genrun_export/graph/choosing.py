"""Choosing the next token inside the graph, so that no logits need leave it: nodes behind a step's ``logits``.

They choose what the built-in decoders choose in NumPy from the same logits and draws, to the id: both turn softmax
weights into whole multiples of 2**-32, whose sums are exact in float64 in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, parser

__all__ = ["add_choosing"]

_BLOCK = 128  # tokens that are summed before the cumulative sum: two short ones are faster than a long one

# The inputs beside the step's own. They have defaults, so that nobody needs to feed them; k = 0 chooses nothing.
_DEFAULTS = {
    "draw": np.zeros((1, 1)),
    "temperature": np.array(1.0),
    "k": np.array([0], np.int64),
    "normalize": np.array(False),
}

# Pieces of graphs in ONNX's text form, a node a line.

# The logits, minus infinity where a token must not be chosen. onnxruntime computes the mask once, when it opens the
# file, which so need not store it.
_ALLOWED = """
    unmasked = ConstantOfShape (vocabulary_shape)
    mask = ScatterElements (unmasked, suppressed, masks)
    allowed = Add (logits, mask)
"""

# The weight of each candidate: softmax's numerator, in units of 2**-32.
_WEIGHTS = """
    below = Sub (candidates, highest)
    below_in_double = Cast <to = 11> (below)
    exponent = Div (below_in_double, temperature)
    numerator = Exp (exponent)
    enlarged = Mul (numerator, units)
    weights = Round (enlarged)
"""

# How many candidates, or blocks of them, the draw passes: [batch, 1].
_PASSED = """
    total = Gather <axis = 1> (cumulative, last)
    threshold = Mul (draw, total)
    is_passed = LessOrEqual (cumulative, threshold)
    passed_or_not = Cast <to = 7> (is_passed)
    passed = ReduceSum (passed_or_not, one)
"""

# From the place [batch, 1] of the chosen token to the outputs. A sum that is no number, or too large for one, tells
# of such a logit: then -1 is chosen, since an operator may lose a NaN on the way to the highest logit.
_OUTPUTS = """
    row_sum = ReduceSum <keepdims = 0> (logits, one)
    is_number = Less (row_sum, infinity)
    id_at_place = Squeeze (place, one)
    id = Where (is_number, id_at_place, none)
    logs = LogSoftmax <axis = -1> (logits)
    log = GatherND <batch_dims = 1> (logs, place)
"""

_TOP_K = f"""
    {_ALLOWED}
    candidates, ids = TopK (allowed, k)
    highest = Gather <axis = 1> (candidates, first)
    {_WEIGHTS}
    cumulative = CumSum (weights, axis)
    {_PASSED}
    place = GatherElements <axis = 1> (ids, passed)
    {_OUTPUTS}
"""

# The same over the whole vocabulary in the order of its ids: first which block, then which token in it.
_ALL = f"""
    {_ALLOWED}
    candidates = Pad (allowed, padding, minus_infinity)
    highest = ReduceMax (candidates, one)
    {_WEIGHTS}
    blocks = Reshape (weights, block_shape)
    block_sums = ReduceSum <keepdims = 0> (blocks, two)
    cumulative = CumSum (block_sums, axis)
    {_PASSED}
    with_block = GatherElements <axis = 1> (cumulative, passed)
    of_block = GatherElements <axis = 1> (block_sums, passed)
    before_block = Sub (with_block, of_block)
    block = GatherND <batch_dims = 1> (blocks, passed)
    in_block = CumSum (block, axis)
    cumulative_in_block = Add (in_block, before_block)
    is_passed_in_block = LessOrEqual (cumulative_in_block, threshold)
    passed_in_block_or_not = Cast <to = 7> (is_passed_in_block)
    passed_in_block = ReduceSum (passed_in_block_or_not, one)
    start_of_block = Mul (passed, block_size)
    place = Add (start_of_block, passed_in_block)
    {_OUTPUTS}
"""

# The same token for every row, whatever its logits.
_FIXED = """
    batch_of_fixed = Shape (token)
    fixed_id = Expand (fixed, batch_of_fixed)
    logs_with_fixed = LogSoftmax <axis = -1> (logits)
    fixed_log = Gather <axis = 1> (logs_with_fixed, fixed)
"""

_NOTHING = """
    batch = Shape (token)
    no_id = Expand (none, batch)
    no_log = Expand (not_a_number, batch)
"""


def add_choosing(model: onnx.ModelProto, suppressed_ids: Sequence[int]) -> None:
    """Extend a decoding step, in place, so that it also chooses; ``suppressed_ids`` are never chosen.

    Optional inputs: ``draw`` float64 ``[batch, 1]`` in [0, 1), ``temperature`` float64 above 0, ``k`` int64 ``[1]``:
    0 chooses nothing (the default), 1 the most likely token, 2 to the size of the vocabulary draws from as many most
    likely ones, -1 from all. Outputs: ``chosen`` int64 ``[batch]``, -1 where nothing is chosen or the logits are no
    numbers, and ``chosen_log_probability`` float32 ``[batch]``, under softmax(logits) itself. With ``normalize``, a
    bool, a ``k`` of -1 is always the first id that is not suppressed: a caller that chooses from the logits itself
    learns what makes a logit a log-probability. Exact for vocabularies up to 2**21 tokens.
    """
    [logits] = (value for value in model.graph.output if value.name == "logits")
    vocabulary = logits.type.tensor_type.shape.dim[1].dim_value
    chooser = parser.parse_graph(_text())
    keep = {value.name for value in (*chooser.input, *chooser.output)}
    _localize(chooser, keep, _constants(vocabulary, suppressed_ids))
    graph = model.graph
    graph.node.extend(chooser.node)
    graph.initializer.extend(chooser.initializer)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in _DEFAULTS.items())
    graph.input.extend(value for value in chooser.input if value.name in _DEFAULTS)
    graph.output.extend(chooser.output)
    onnx.checker.check_model(model, full_check=True)


def _text() -> str:
    """Return the nodes that choose as a graph of their own, in ONNX's text form."""
    outputs = "int64[batch] id, float[batch] log"
    negative = f"""
        negative_id, negative_log = If (normalize) <
            then_branch = {_graph("fixed", "int64[batch] fixed_id, float[batch] fixed_log", _FIXED)},
            else_branch = {_graph("all", outputs, _ALL)}
        >
    """
    otherwise = f"""
        is_negative = Less (k, zero)
        other_id, other_log = If (is_negative) <
            then_branch = {_graph("negative", "int64[batch] negative_id, float[batch] negative_log", negative)},
            else_branch = {_graph("nothing", "int64[batch] no_id, float[batch] no_log", _NOTHING)}
        >
    """
    choose = f"""
        is_positive = Greater (k, zero)
        chosen, chosen_log_probability = If (is_positive) <
            then_branch = {_graph("top_k", outputs, _TOP_K)},
            else_branch = {_graph("otherwise", "int64[batch] other_id, float[batch] other_log", otherwise)}
        >
    """
    inputs = "int64[batch] token, float[batch, size] logits, double[draws, 1] draw, double temperature, int64[1] k"
    inputs += ", bool normalize"
    return _graph("choosing", "int64[batch] chosen, float[batch] chosen_log_probability", choose, inputs)


def _graph(name: str, outputs: str, nodes: str, inputs: str = "") -> str:
    return f"{name} ({inputs}) => ({outputs}) {{ {nodes} }}"


def _localize(graph: onnx.GraphProto, keep: Set[str], constants: Mapping[str, NDArray[Any]]) -> None:
    """Set names apart from the step's own, except those in ``keep``, and give each graph the constants that it uses.

    A constant from outside would be passed in again each time that a branch runs.
    """

    def named(names: Iterable[str]) -> list[str]:
        return [
            name if name in keep else f"choosing.{graph.name}.{name}" if name in constants else f"choosing.{name}"
            for name in names
        ]

    used = dict.fromkeys(name for node in graph.node for name in node.input if name in constants)
    graph.initializer.extend(
        numpy_helper.from_array(constants[name], value) for name, value in zip(used, named(used), strict=True)
    )
    for value in graph.output:
        [value.name] = named([value.name])
    for node in graph.node:
        node.input[:], node.output[:] = named(node.input), named(node.output)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _localize(attribute.g, keep, constants)


def _constants(vocabulary: int, suppressed_ids: Sequence[int]) -> dict[str, NDArray[Any]]:
    blocks = -(-vocabulary // _BLOCK)
    return {
        "vocabulary_shape": np.array([vocabulary], np.int64),
        "suppressed": np.array(suppressed_ids, np.int64),
        "masks": np.full(len(suppressed_ids), -np.inf, np.float32),
        "padding": np.array([0, 0, 0, blocks * _BLOCK - vocabulary], np.int64),
        "block_shape": np.array([-1, blocks, _BLOCK], np.int64),
        "block_size": np.array(_BLOCK, np.int64),
        "units": np.array(2.0**32),
        "infinity": np.array(np.inf, np.float32),
        "minus_infinity": np.array(-np.inf, np.float32),
        "not_a_number": np.array(np.nan, np.float32),
        "none": np.array(-1, np.int64),
        "axis": np.array(1),
        "first": np.array([0], np.int64),
        "fixed": np.array(next(token for token in range(vocabulary) if token not in suppressed_ids), np.int64),
        "zero": np.array([0], np.int64),
        "last": np.array([-1], np.int64),
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
    }
