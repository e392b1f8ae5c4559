"""Operators that reduce values along an axis, accumulate them, or take the highest."""

from __future__ import annotations

from collections.abc import Set

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, check_axis

__all__: list[str] = []


_SUMS = "ReduceSum ReduceMax ReduceMin ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceLogSumExp ReduceSumSquare"


@allow(_SUMS, (1, 2), axes="is", keepdims="b", noop_with_empty_axes="b")
def _reduce(use: Use) -> list[Value]:
    value = use[0]
    axes = use.numbers(1, "axes")
    if 0 in value.shape:
        raise Refused("reduces a value without elements")
    if not axes and use.attribute("noop_with_empty_axes", 0):
        return [Value(value.dtype, value.shape, loose=value.loose)]
    reduced = {check_axis(axis, len(value.shape)) for axis in axes or range(len(value.shape))}
    if axes and len(reduced) != len(axes):
        raise Refused("names an axis twice")
    return [_reduced(value, reduced, value.dtype, keep=bool(use.attribute("keepdims", 1)))]


@allow("ArgMax ArgMin", 1, axis="i", keepdims="b", select_last_index="b")
def _place(use: Use) -> list[Value]:
    value = use[0]
    axis = check_axis(use.attribute("axis", 0), len(value.shape))
    if 0 in value.shape:
        raise Refused("looks for the highest of no values")
    return [_reduced(value, {axis}, "int64", keep=bool(use.attribute("keepdims", 1)))]


def _reduced(value: Value, axes: Set[int], dtype: str, *, keep: bool) -> Value:
    """Return ``value`` with ``axes`` reduced to one element each; ``keep`` keeps these axes."""
    rank = len(value.shape)
    kept = [i for i in range(rank) if keep or i not in axes]
    shape = tuple(1 if i in axes else value.shape[i] for i in kept)
    loose = {place - len(kept) for place, i in enumerate(kept) if i - rank in value.loose and i not in axes}
    return Value(dtype, shape, loose=frozenset(loose))


@allow("CumSum", 2, exclusive="b", reverse="b")
def _cumulative(use: Use) -> list[Value]:
    axis = use.known(1)
    if axis.size != 1:
        raise Refused("has more than one axis")
    check_axis(int(axis.ravel()[0]), len(use[0].shape))
    return [Value(use[0].dtype, use[0].shape, loose=use[0].loose)]


@allow("TopK", 2, outputs=2, axis="i", largest="b", sorted="b")
def _top(use: Use) -> list[Value]:
    value, count = use[0], use[1]
    axis = check_axis(use.attribute("axis", -1), len(value.shape))
    shape = list(value.shape)
    if count.shape != (1,):
        raise Refused("does not have a single number as its k")
    if count.known is not None:
        shape[axis] = int(count.known[0])
        if not 1 <= shape[axis] <= value.shape[axis]:
            raise Refused(f"takes {shape[axis]} of {value.shape[axis]} values")
    loose = value.loose if count.known is not None else value.loose | {axis - len(shape)}
    return [Value(dtype, tuple(shape), loose=loose) for dtype in (value.dtype, "int64")]
