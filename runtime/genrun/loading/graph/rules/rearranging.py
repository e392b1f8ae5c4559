"""Operators that change the order or shape of elements."""

from __future__ import annotations

import numpy as np

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, check_axis, elements

__all__: list[str] = []


@allow("Reshape", 2, allowzero="b")
def _reshape(use: Use) -> list[Value]:
    value = use.exact(0)
    wanted = use.known(1)
    if wanted.ndim != 1 or len(wanted) > 8 or (wanted < -1).any() or (wanted == -1).sum() > 1:
        raise Refused("has an invalid shape as input")
    sizes = wanted.tolist()
    if not use.attribute("allowzero", 0):
        if any(size == 0 and i >= len(value.shape) for i, size in enumerate(sizes)):
            raise Refused("keeps a dimension that does not exist")
        sizes = [value.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    count, rest = elements(value.shape), elements(size for size in sizes if size != -1)
    if -1 in sizes:
        if not rest or count % rest:
            raise Refused(f"gives {count} elements a shape with {rest} a row")
        sizes[sizes.index(-1)] = count // rest
    if elements(sizes) != count:
        raise Refused(f"gives {count} elements the shape {sizes}")
    return [_reshaped(value, tuple(sizes))]


def _reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    known = None if value.known is None else value.known.reshape(shape)
    return Value(value.dtype, shape, known, value.linear)


@allow("Flatten", 1, axis="i")
def _flatten(use: Use) -> list[Value]:
    value = use.exact(0)
    axis = use.attribute("axis", 1)
    if not -len(value.shape) <= axis <= len(value.shape):
        raise Refused(f"has the axis {axis} of a value with {len(value.shape)} dimensions")
    axis = axis % len(value.shape) if axis < 0 else axis
    return [Value(value.dtype, (elements(value.shape[:axis]), elements(value.shape[axis:])))]


@allow("Squeeze", (1, 2), axes="is")
def _squeeze(use: Use) -> list[Value]:
    value = use.exact(0)
    listed = use.numbers(1, "axes")
    if listed is None:
        raise Refused("does not name the axes that it removes")
    axes = {check_axis(axis, len(value.shape)) for axis in listed}
    if any(value.shape[axis] != 1 for axis in axes) or len(axes) < len(listed):
        raise Refused("removes an axis that is longer than 1, or the same axis twice")
    return [_reshaped(value, tuple(size for i, size in enumerate(value.shape) if i not in axes))]


@allow("Unsqueeze", (1, 2), axes="is")
def _unsqueeze(use: Use) -> list[Value]:
    value = use.exact(0)
    listed = use.numbers(1, "axes") or []
    rank = len(value.shape) + len(listed)
    axes = {check_axis(axis, rank) for axis in listed}
    if len(axes) < len(listed) or rank > 8:
        raise Refused("adds an axis twice, or too many")
    sizes = iter(value.shape)
    return [_reshaped(value, tuple(1 if i in axes else next(sizes) for i in range(rank)))]


@allow("Transpose", 1, perm="is")
def _transpose(use: Use) -> list[Value]:
    value = use.exact(0)
    order = use.attribute("perm", list(range(len(value.shape)))[::-1])
    if sorted(order) != list(range(len(value.shape))):
        raise Refused("does not name each axis exactly once")
    return [Value(value.dtype, tuple(value.shape[axis] for axis in order))]


@allow("Concat", (1, 1024), axis="i")
def _concat(use: Use) -> list[Value]:
    values = [use.exact(i) for i in range(len(use.inputs))]
    first = values[0].shape
    axis = check_axis(use.attribute("axis", 0), len(first))
    if any(v.shape[:axis] + v.shape[axis + 1 :] != first[:axis] + first[axis + 1 :] for v in values):
        raise Refused("joins values whose other dimensions differ")
    if any(len(value.shape) != len(first) for value in values) or use.attribute("axis") is None:
        raise Refused("joins values of different ranks, or along no axis")
    shape = (*first[:axis], sum(value.shape[axis] for value in values), *first[axis + 1 :])
    known = [value.known for value in values if value.known is not None]
    linear = any(value.linear for value in values)
    joined = np.concatenate(known, axis) if len(known) == len(values) and elements(shape) <= 1024 else None
    return [Value(values[0].dtype, shape, joined, linear=linear)]


@allow("Split", (1, 2), outputs=(1, 256), optional=(1,), axis="i", num_outputs="i", split="is")
def _split(use: Use) -> list[Value]:
    value, count = use.exact(0), len(use.node.outputs)
    axis = check_axis(use.attribute("axis", 0), len(value.shape))
    sizes = use.numbers(1, "split")
    if sizes is None:
        if use.attribute("num_outputs", count) != count or value.shape[axis] % count:
            raise Refused(f"splits {value.shape[axis]} values into {use.attribute('num_outputs', count)} for {count}")
        sizes = [value.shape[axis] // count] * count
    elif use.attribute("num_outputs") is not None:
        raise Refused("gives the number of parts twice")
    if len(sizes) != count or any(size < 0 for size in sizes) or sum(sizes) != value.shape[axis]:
        raise Refused(f"splits {value.shape[axis]} values into {sizes} for {count} outputs")
    return [Value(value.dtype, (*value.shape[:axis], size, *value.shape[axis + 1 :])) for size in sizes]


@allow("Slice", (3, 5), optional=(3,))
def _slice(use: Use) -> list[Value]:
    value = use.exact(0)
    starts, ends = use.known(1).ravel().tolist(), use.known(2).ravel().tolist()
    axes = list(range(len(starts))) if use.get(3) is None else use.known(3).ravel().tolist()
    steps = [1] * len(starts) if use.get(4) is None else use.known(4).ravel().tolist()
    places = [check_axis(axis, len(value.shape)) for axis in axes]
    if not len(starts) == len(ends) == len(axes) == len(steps) == len(set(places)) or 0 in steps:
        raise Refused("does not have one start and one end for each axis")
    cuts = [slice(None)] * len(value.shape)
    for axis, start, end, step in zip(places, starts, ends, steps, strict=True):
        # An end before the first element includes that element only if the step is negative.
        below = step < 0 and end < -value.shape[axis]
        cuts[axis] = slice(start, None if below else end, step)
    shape = tuple(len(range(*cut.indices(size))) for cut, size in zip(cuts, value.shape, strict=True))
    known = None if value.known is None else value.known[tuple(cuts)]
    return [Value(value.dtype, shape, known, linear=value.linear)]


@allow("Pad", (2, 3), mode="s")
def _pad(use: Use) -> list[Value]:
    value = use.exact(0)
    added = use.known(1).ravel().tolist()
    rank = len(value.shape)
    if use.attribute("mode", "constant") != "constant" or len(added) != 2 * rank or min(added, default=0) < 0:
        raise Refused("does not pad with a constant at both ends of each axis")
    filler = use.get(2)
    if filler is not None and elements(filler.shape) != 1:
        raise Refused("pads with more than one value")
    return [Value(value.dtype, tuple(a + b + c for a, b, c in zip(added, value.shape, added[rank:], strict=False)))]


@allow("Trilu", (1, 2), upper="b")
def _trilu(use: Use) -> list[Value]:
    if len(use.exact(0).shape) < 2 or (use.get(1) is not None and use.known(1).size != 1):
        raise Refused("takes a triangle of a value that is not a matrix")
    return [Value(use[0].dtype, use[0].shape)]
