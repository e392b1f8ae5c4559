"""Steps that hold one further operator, used in random ways: right ones, nearly right ones, and absurd ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from genrun.loading.graph.rules import OPERATORS

__all__ = ["with_operator"]

_SHAPES: list[tuple[int, ...]] = [
    (), (1,), (2,), (3,), (4,), (0,), (1, 1), (1, 4), (2, 3), (3, 2), (3, 4), (4, 3), (2, 3, 4), (1, 3, 2), (3, 0),
    (1, 2, 2, 2), (1, 4, 3), (2, 1, 3),
]  # fmt: skip
_FLOATS = [0.0, 1.0, -1.0, 0.5, 1e30, -1e38, float("inf"), float("nan"), 3.0]
_WHOLE = [0, 1, 2, 3, -1, -2, 4, 5, 100, -100, 2**31, 2**62, -(2**63), 2**63 - 1]
_TYPES = [np.float32, np.float32, np.float32, np.int64, np.int64, np.int32, np.float64, np.bool_, np.float16, np.int8,
          np.uint8]  # fmt: skip
_OTHERS = [schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain and not schema.deprecated]
_EQUATIONS = [
    "ij,jk->ik",
    "ij,kj->ik",
    "i,i->",
    "abc,abc->ab",
    "ii,i->i",
    "ij->ji",
    "...i,i->...",
    "ij,jk->",
    "a,b->ab",
]


def with_operator(content: bytes, chance: random.Random) -> bytes:
    """Return a sound file with one more operator, whose results are further outputs of the graph."""
    model = onnx.ModelProto()
    model.ParseFromString(content)
    graph = model.graph
    allowed = chance.random() < 0.85
    name = chance.choice([*OPERATORS] if allowed else _OTHERS)
    least, most = OPERATORS[name].inputs if name in OPERATORS else (1, 4)
    count = chance.randint(least, most if most <= 8 else 3) if chance.random() < 0.95 else chance.randrange(6)
    shape, kind = chance.choice(_SHAPES), chance.choice(_TYPES)  # most inputs are alike
    inputs = [_input(graph, name, i, shape, kind, chance) for i in range(count)]
    results = OPERATORS[name].outputs[0] if name in OPERATORS else 1
    if chance.random() < 0.1 or name == "Split":
        results = chance.randrange(1, 5)
    outputs = [f"made.{i}" for i in range(results)]
    attributes = _attributes(name, chance)
    graph.node.append(helper.make_node(name, inputs, outputs, **attributes))
    for output in outputs:
        graph.node.append(helper.make_node("Cast", [output], [f"{output}.float"], to=TensorProto.FLOAT))
        graph.output.append(helper.make_tensor_value_info(f"{output}.float", TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())


def _input(graph: Any, operator: str, index: int, shape: tuple[int, ...], kind: Any, chance: random.Random) -> str:
    """Add an input of the operator and return its name: constant, computed, of the step, or none."""
    choice = chance.random()
    if choice < 0.04:
        return ""
    if choice < 0.12:
        return chance.choice(["token", "state.0", "logits", "row"])
    if index and chance.random() < 0.45:  # such as axes, shapes, places, numbers of values
        kind, shape = (
            chance.choice((np.int64, np.int64, np.int32, kind)),
            chance.choice(((1,), (1,), (2,), (), shape)),
        )
    elif chance.random() < 0.15:
        kind, shape = chance.choice(_TYPES), chance.choice(_SHAPES)
    values = _values(shape, kind, chance)
    name = f"given.{index}"
    graph.initializer.append(numpy_helper.from_array(values, name))
    computed = values.dtype != np.bool_ and chance.random() < (0.6 if index == 0 else 0.25)
    if not computed:
        return name
    code: int = helper.np_dtype_to_tensor_dtype(values.dtype)
    for node in (
        helper.make_node("ReduceMin", ["state.0"], [f"zero.{index}"], keepdims=0),
        helper.make_node("Cast", [f"zero.{index}"], [f"cast.{index}"], to=code),
        helper.make_node("Add", [name, f"cast.{index}"], [f"computed.{index}"]),
    ):
        graph.node.append(node)
    return f"computed.{index}"


def _values(shape: tuple[int, ...], kind: Any, chance: random.Random) -> NDArray[Any]:
    count = int(np.prod(shape))
    if np.issubdtype(kind, np.floating):
        small = chance.random() < 0.7
        listed: list[Any] = [chance.random() if small else chance.choice(_FLOATS) for _ in range(count)]
    elif kind is np.bool_:
        listed = [chance.random() < 0.5 for _ in range(count)]
    else:
        most = 4 if chance.random() < 0.6 else len(_WHOLE)
        listed = [chance.choice(_WHOLE[:most]) for _ in range(count)]
        info = np.iinfo(kind)
        listed = [min(max(number, info.min), info.max) for number in listed]
    with np.errstate(over="ignore"):
        return np.array(listed).astype(kind).reshape(shape)


def _attributes(name: str, chance: random.Random) -> dict[str, Any]:
    """Return attributes that the operator has, with usual and unusual values."""
    makers: dict[str, Callable[[], Any]] = {
        "i": lambda: chance.choice((0, 0, 1, 1, -1, 2, -2, 3, 5, 100, -100, 2**31, -(2**63))),
        "b": lambda: chance.choice((0, 0, 0, 1, 1, 1, 1, -1, 2)),
        "f": lambda: chance.choice((0.0, 1.0, -1.0, 0.5, float("nan"), 1e38)),
        "s": lambda: chance.choice(("", "constant", "none", "add", "mul", "max", "forward", "reflect", "tanh", "x")),
        "is": lambda: [chance.choice((0, 1, 2, -1, 3, 100)) for _ in range(chance.randrange(4))],
        "fs": lambda: [chance.choice(_FLOATS) for _ in range(chance.randrange(4))],
        "t": lambda: numpy_helper.from_array(_values(chance.choice(((1,), (1,), (), (2,))), np.float32, chance), "t"),
        "g": lambda: helper.make_graph([], "g", [], []),
    }
    known = OPERATORS[name].attributes if name in OPERATORS else {}
    made: dict[str, Any] = {}
    for attribute, kind in known.items():
        if chance.random() < 0.5:
            value = makers[kind]()
            if value != []:
                made[attribute] = value
    if "to" in known:
        made["to"] = chance.choice((1, 6, 7, 9, 10, 11, 8, 0, 16, 2, 30))
    if "equation" in known:
        made["equation"] = chance.choice(_EQUATIONS)
    if "hidden_size" in known:
        made["hidden_size"] = chance.choice((1, 2, 3, 4))
    return made
