"""Walks through a graph before it is run and checks its operators, their use, and the cost of a step.

For each operator, a rule computes the shapes of its outputs (:mod:`genrun.loading.graph.rules`). A graph is refused
if an operator would receive values that it cannot take, if a cost depends on computed values, or if a cost is too
high.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping, Sequence

from genrun.loading.graph.interface import check_interface, shown
from genrun.loading.graph.limits import BATCHES, MOST_NODES, MOST_STATES, Cost, Limits
from genrun.loading.graph.parts import Attribute, Graph, Node, OnnxFile, ValueInfo
from genrun.loading.graph.rules import OPERATORS, Operator
from genrun.loading.graph.rules.combining import either
from genrun.loading.graph.rules.operator import Use
from genrun.loading.graph.rules.value import Refused, Value, elements

__all__ = ["OPTIONAL_INPUTS", "check_graph", "values_at"]

# The optional inputs that the runtime feeds: dtype and shape, with None for the batch size.
OPTIONAL_INPUTS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "draw": ("float64", (None, 1)),
    "temperature": ("float64", ()),
    "k": ("int64", (1,)),
    "normalize": ("bool", ()),
}
_OPSETS = range(13, 27)
_WIDEST = 8  # bytes of a number

Scope = MutableMapping[str, Value]


def check_graph(file: OnnxFile) -> None:
    """Raise Refused, with the operator and the reason in one line, for a graph that is not safe to run."""
    if file.opset not in _OPSETS:
        raise Refused(f"it uses the operators of version {file.opset}, not {_OPSETS[0]} to {_OPSETS[-1]}")
    check_interface(file.graph)
    _check_names(file.graph)
    limits = _limits(file)
    for batch in BATCHES:
        cost = Cost()
        scope = values_at(file.graph, batch, cost)
        _check_declared(file.graph, scope, batch)
        if exceeded := limits.exceeded(cost, batch):
            raise Refused(exceeded)


def values_at(graph: Graph, batch: int, cost: Cost) -> Scope:
    """Return all values of a step of ``batch`` texts by name, and add the cost of the step to ``cost``."""
    scope = _fed(graph, batch)
    _run(graph, scope, cost)
    return scope


def _limits(file: OnnxFile) -> Limits:
    """Return the limits for the file; raises Refused if its states exceed them."""
    states = [value for value in file.graph.inputs if value.name.startswith("state.")]
    if len(states) > MOST_STATES:
        raise Refused(f"it has {len(states):,} states; at most {MOST_STATES} can be carried")
    carried = sum(elements(size or 0 for size in (value.shape or ())[1:]) for value in states)
    logits = [elements(size or 0 for size in (value.shape or ())[1:]) for value in file.graph.outputs[:1]]
    limits = Limits(file.size, carried + sum(logits))
    if carried > limits.state_elements():
        raise Refused(f"its states have {carried:,} numbers a text; at most {limits.state_elements():,} are accepted")
    return limits


def _check_names(graph: Graph, outer: frozenset[str] = frozenset(), count: int = 0) -> int:
    """Return ``count`` plus the nodes of the graph; raises Refused for a duplicate name or too many nodes."""
    inputs = {value.name for value in graph.inputs}
    if outer and inputs:
        raise Refused("a graph within the graph has inputs")
    defined = [*inputs, *(name for name in graph.constants if name not in inputs)]
    defined += [name for node in graph.nodes for name in node.outputs if name]
    names = frozenset(defined)
    if len(graph.inputs) != len(inputs) or len(names) != len(defined) or not names.isdisjoint(outer):
        raise Refused("it gives a name twice")
    count += len(graph.nodes)
    if count > MOST_NODES:
        raise Refused(f"it has more than {MOST_NODES:,} nodes")
    for node in graph.nodes:
        for attribute in node.attributes.values():
            if isinstance(attribute.value, Graph):
                count = _check_names(attribute.value, outer | names, count)
    return count


def _fed(graph: Graph, batch: int) -> dict[str, Value]:
    """Return the inputs of a step of ``batch`` texts by name."""
    scope: dict[str, Value] = {}
    for value in graph.inputs:
        if value.name in graph.constants:
            scope |= _default(graph, value, batch)
        elif value.name == "token" or value.name.startswith("state."):
            scope[value.name] = Value(value.dtype, (batch, *(size or 0 for size in (value.shape or ())[1:])))
        else:
            raise Refused(f"it needs an input {value.name[:60]!r} that this genrun does not know")
    return scope


def _default(graph: Graph, value: ValueInfo, batch: int) -> dict[str, Value]:
    """Return an optional input by name, with the shape that the runtime feeds."""
    constant = graph.constants[value.name]
    dtype, shape = OPTIONAL_INPUTS.get(value.name, ("", ()))
    if dtype != constant.dtype:  # the runtime does not feed it
        return {value.name: Value(constant.dtype, constant.shape, constant.known)}
    if constant.shape != tuple(1 if size is None else size for size in shape):
        raise Refused(f"the default of its input {value.name!r} has the shape {list(constant.shape)}")
    return {value.name: Value(dtype, tuple(batch if size is None else size for size in shape))}


def _run(graph: Graph, scope: Scope, cost: Cost) -> None:
    """Add the values that the graph computes to ``scope``, and their cost to ``cost``."""
    for name, constant in graph.constants.items():
        scope.setdefault(name, Value(constant.dtype, constant.shape, constant.known))
    for node in graph.nodes:
        try:
            made = _made(node, scope, cost)
        except Refused as error:
            raise Refused(
                str(error) if isinstance(error, _Inner) else f"operator {node.operator[:60]!r} {error}"
            ) from None
        for name, value in zip(node.outputs, made, strict=True):
            cost.bytes += _WIDEST * elements(value.shape)
            if name:
                scope[name] = value


class _Inner(Refused):
    """Raised within a branch; its message already names the operator."""


def _made(node: Node, scope: Scope, cost: Cost) -> Sequence[Value]:
    """Return the outputs of a node."""
    operator = OPERATORS.get(node.operator)
    if operator is None:
        raise Refused("is not one that a model file may use")
    _check_form(node, operator)
    if "" in node.outputs:
        raise Refused("leaves out an output")
    inputs = [_read(name, scope) if name else None for name in node.inputs]
    if node.operator == "If":
        return _branches(node, scope, cost)
    use = Use(node, inputs)
    made = operator.rule(use)
    cost.work += use.work
    if len(made) < len(node.outputs):
        raise Refused(f"does not make {len(node.outputs)} values")
    return made[: len(node.outputs)]


def _check_form(node: Node, operator: Operator) -> None:
    """Raise Refused if the node's inputs, outputs or attributes are not those of the operator."""
    for what, count, (least, most) in (
        ("inputs", len(node.inputs), operator.inputs),
        ("outputs", len(node.outputs), operator.outputs),
    ):
        if not least <= count <= most:
            raise Refused(f"has {count} {what}, not {least if least == most else f'{least} to {most}'}")
    left_out = [i for i, name in enumerate(node.inputs) if not name]
    if not operator.optional.issuperset(left_out):
        raise Refused(f"leaves out its input {left_out[0]}")
    for name, attribute in node.attributes.items():
        kind = operator.attributes.get(name)
        if kind is None or not _fits(attribute, kind):
            raise Refused(f"has an attribute {name[:60]!r} that it cannot have")


def _fits(attribute: Attribute, kind: str) -> bool:
    if kind == "b":
        return attribute.kind == "i" and attribute.value in (0, 1)
    empty = attribute.value == []  # an empty list has no type in some files
    return attribute.kind == kind or (empty and len(kind) == 2)


def _read(name: str, scope: Scope) -> Value:
    value = scope.get(name)
    if value is None:
        raise Refused(f"takes {name[:60]!r}, which no earlier node makes")
    return value


def _branches(node: Node, scope: Scope, cost: Cost) -> list[Value]:
    """Return the outputs of an ``If``, which are those of one of its two graphs."""
    if elements(_read(node.inputs[0], scope).shape) != 1:
        raise Refused("chooses by more than one value")
    results = []
    for name in ("then_branch", "else_branch"):
        branch = node.attributes.get(name)
        if branch is None or len(branch.value.outputs) != len(node.outputs):
            raise Refused(f"has no {name} with the same number of outputs")
        inner: Scope = ChainMap({}, scope)
        try:
            _run(branch.value, inner, cost)
        except Refused as error:
            raise _Inner(str(error)) from None
        results.append([_read(value.name, inner) for value in branch.value.outputs])
    return [either(*pair) for pair in zip(*results, strict=True)]


def _check_declared(graph: Graph, scope: Scope, batch: int) -> None:
    """Raise Refused if a declared type or shape is wrong, since onnxruntime plans memory by the declarations."""
    for name in ("logits", *(f"{value.name}.next" for value in graph.inputs if value.name.startswith("state."))):
        made = scope.get(name)
        if made is None:
            raise Refused(f"it declares {name[:60]!r}, which no node makes")
        if made.shape[:1] != (batch,) or not made.exact:
            raise Refused(f"it makes {name[:60]!r} of the shape {shown(made.shape)} for {batch} texts")
    for declared in (*graph.outputs, *graph.declared):
        value = scope.get(declared.name)
        if value is None:
            raise Refused(f"it declares {declared.name[:60]!r}, which no node makes")
        shape = declared.shape
        fits = value.dtype == declared.dtype and (shape is None or len(shape) == len(value.shape))
        pairs = zip(shape or (), value.shape, strict=False)
        if not fits or any(size is not None and size != real for size, real in pairs):
            raise Refused(
                f"it declares {declared.name[:60]!r} as {declared.dtype} {shown(shape)}, but makes {value.dtype} "
                f"{shown(value.shape)} for {batch} texts"
            )
