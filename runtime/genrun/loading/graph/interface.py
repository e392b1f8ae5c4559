"""Checks that a graph is a decoding step: a token and states in, logits and the next states out."""

from __future__ import annotations

from collections.abc import Sequence

from genrun.loading.graph.parts import Graph, ValueInfo
from genrun.loading.graph.rules.value import Refused

__all__ = ["NotAStep", "check_interface", "shown"]


class NotAStep(Refused):
    """The inputs and outputs of a graph are not those of a decoding step."""


def check_interface(graph: Graph) -> None:
    """Raise NotAStep for a graph whose inputs and outputs are not those of a decoding step."""
    inputs = {value.name: value for value in graph.inputs}
    outputs = {value.name: value for value in graph.outputs}
    states = [name for name in inputs if name.startswith("state.")]
    missing = [name for name in ("token",) if name not in inputs]
    missing += [name for name in ("logits", *(f"{name}.next" for name in states)) if name not in outputs]
    if missing:
        raise NotAStep(f"the graph has no {missing[0][:60]!r}: it is not a genrun decoding step")
    unknown = [name for name in inputs if name not in ("token", *states, *graph.constants)]
    if unknown:
        raise NotAStep(f"the graph needs an input {unknown[0][:60]!r} that this genrun does not know")
    for name in states:
        _check_state(inputs[name], outputs[f"{name}.next"])
    token, logits = inputs["token"], outputs["logits"]
    if token.dtype != "int64" or token.shape is None or len(token.shape) != 1 or token.shape[0] is not None:
        raise NotAStep(f"the graph's 'token' is {token.dtype} {shown(token.shape)}, not int64 [?]")
    if logits.dtype != "float32" or logits.shape is None or len(logits.shape) != 2 or logits.shape[1] is None:
        raise NotAStep(f"the graph's logits are {logits.dtype} {shown(logits.shape)}, not float32 [?, vocabulary]")


def _check_state(state: ValueInfo, after: ValueInfo) -> None:
    shape = state.shape
    if not shape or shape[0] is not None or None in shape[1:] or 0 in shape:
        raise NotAStep(
            f"the graph's {state.name[:60]!r} has the shape {shown(shape)}, not a number for each dimension"
        )
    if state.dtype not in ("float32", "float16", "int64", "int32"):
        raise NotAStep(f"the graph's {state.name[:60]!r} has the type {state.dtype}, which no state has")
    if state.dtype != after.dtype or (after.shape or ())[1:] != shape[1:]:
        raise NotAStep(
            f"the graph's {after.name[:60]!r} is {after.dtype} {shown(after.shape)}, not {state.dtype} {shown(shape)}"
        )


def shown(shape: Sequence[int | None] | None) -> str:
    """Return a shape for a message, with a question mark for a dynamic dimension.

    >>> shown((None, 8))
    '[?, 8]'
    """
    return "of any shape" if shape is None else f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
