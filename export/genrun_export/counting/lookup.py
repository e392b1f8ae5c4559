"""The nodes that find what is known after the last tokens: contexts by their keys, and the rows of followers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from genrun_export.counting.tables import FIRST_TOKEN, NOTHING, SALT, Tables
from genrun_export.graph.text_nodes import add_nodes, add_state

__all__ = ["add_lookup"]

_PREFIX = "counting."

# The contexts of the last tokens, by length from 1: [batch, order - 1].
_TOKEN = """
    token_number = Cast <to = {whole}> (token)
    token_column = Unsqueeze (token_number, one)
    shortest = Add (token_column, first_token)
"""
_LONGER = """
    shifted = Mul (state, vocabulary)
    salted = Add (token_column, salt)
    key = Add (shifted, salted)
    key_column = Unsqueeze (key, two)
    places = Mod (key_column, primes)
    numbers = Add (places, bases)
    keys_there = Gather (keys, numbers)
    is_there = Equal (keys_there, key_column)
    candidates = Where (is_there, numbers, nothing)
    longer = ReduceMax <keepdims = 0> (candidates, two)
    contexts = Concat <axis = 1> (shortest, longer)
    next_state = Slice (contexts, zero, last, one)
"""
_SHORTEST_ONLY = """
    contexts = Identity (shortest)
"""

# The followers of all contexts, to the longest row: [batch, order - 1, width]. What is beyond a row's end counts 0.
_ROWS = """
    each_context = Unsqueeze (contexts, two)
    start = Gather (offsets, each_context)
    following = Add (each_context, whole_one)
    end = Gather (offsets, following)
    place = Add (start, column)
    is_in_row = Less (place, end)
    follower = Gather (followers, place)
    value = Gather (values, place)
    factor = Gather (factors, each_context)
"""


def _constants(tables: Tables) -> dict[str, NDArray[Any]]:
    """Return the constants of the nodes by name, and some of general use."""
    whole = tables.keys.dtype
    width = max(tables.widths)
    found: dict[str, NDArray[Any]] = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "one_axis": np.array(1),
        "last": np.array([tables.order - 2]),
        "whole_one": np.array(1, whole),
        "first_token": np.array(FIRST_TOKEN, whole),
        "vocabulary": np.array(tables.vocabulary, whole),
        "salt": np.array(SALT, whole),
        "nothing": np.array(NOTHING, whole),
        "column": np.arange(width).astype(tables.offsets.dtype),
        "nothing_added": np.array(0, np.float32),
        "flat": np.array([-1, width * (tables.order - 1)]),
    }
    names = "keys", "primes", "bases", "offsets", "followers", "values", "factors", "unigrams"
    return found | {name: getattr(tables, name) for name in names}


def add_lookup(graph: onnx.GraphProto, tables: Tables, text: str, names: Mapping[str, str]) -> None:
    """Add the nodes from ``token`` to the rows of what is known after it, and then those of ``text``, to a step.

    And the constants and the state that they use.
    ``names``: what values of the nodes are called in the graph; all others get names that nothing else has.
    """
    state = add_state(graph, tables.keys.dtype, tables.order - 2) if tables.order > 2 else {}
    given = {**names, **state}
    whole = helper.np_dtype_to_tensor_dtype(tables.keys.dtype)
    found = _TOKEN.format(whole=int(whole)) + (_LONGER if tables.order > 2 else _SHORTEST_ONLY) + _ROWS
    add_nodes(graph, found + text, prefix=_PREFIX, constants=_constants(tables), names=given)
