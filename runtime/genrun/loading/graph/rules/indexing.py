"""Operators that read or write values at given indices; onnxruntime checks the indices themselves."""

from __future__ import annotations

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, check_axis, elements

__all__: list[str] = []

_PLACES = ("int64", "int32")
_REDUCTIONS = ("none", "add", "mul", "max", "min")


@allow("Gather", 2, axis="i")
def _gather(use: Use) -> list[Value]:
    value, places = use[0], _places(use)
    axis = check_axis(use.attribute("axis", 0), len(value.shape))
    shape = value.shape[:axis] + places.shape + value.shape[axis + 1 :]
    if not value.shape[axis] or len(shape) > 8:
        raise Refused("looks up an index that does not exist")
    known = None
    if value.known is not None and places.known is not None and elements(shape) <= 1024:
        if (places.known >= value.shape[axis]).any() or (places.known < -value.shape[axis]).any():
            raise Refused("looks up an index that does not exist")
        known = value.known.take(places.known, axis)
    looked_up = value.loose - {axis - len(value.shape)}
    if (looked_up and len(places.shape) != 1) or not places.exact:
        raise Refused("takes a value whose size is not known beforehand")
    return [Value(value.dtype, shape, known, value.linear, looked_up)]


@allow("GatherElements", 2, axis="i")
def _gather_elements(use: Use) -> list[Value]:
    value, places = use[0], _places(use)
    axis = check_axis(use.attribute("axis", 0), len(value.shape))
    _check_beside(places.shape, value.shape, axis)
    return [Value(value.dtype, places.shape, loose=places.loose)]


@allow("GatherND", 2, batch_dims="i")
def _gather_nd(use: Use) -> list[Value]:
    value, places, shared = use.exact(0), _places(use), use.attribute("batch_dims", 0)
    shape, rank = value.shape, len(value.shape)
    if not places.shape or not places.exact or not 0 <= shared < min(rank, len(places.shape)):
        raise Refused("has indices that do not fit its values")
    deep = places.shape[-1]
    if not 1 <= deep <= rank - shared or shape[:shared] != places.shape[:shared]:
        raise Refused("has indices that do not fit its values")
    result = places.shape[:-1] + shape[shared + deep :]
    return [Value(value.dtype, result)]


@allow("ScatterElements", 3, axis="i", reduction="s")
def _scatter_elements(use: Use) -> list[Value]:
    value, places, updates = use.exact(0), _places(use), use[2]
    axis = check_axis(use.attribute("axis", 0), len(value.shape))
    _check_beside(places.shape, value.shape, axis)
    if updates.shape != places.shape or use.attribute("reduction", "none") not in _REDUCTIONS:
        raise Refused("has updates that do not fit its indices")
    return [Value(value.dtype, value.shape)]


@allow("ScatterND", 3, reduction="s")
def _scatter_nd(use: Use) -> list[Value]:
    value, places, updates = use.exact(0), _places(use), use[2]
    deep = places.shape[-1] if places.shape else 0
    fits = 1 <= deep <= len(value.shape) and updates.shape == places.shape[:-1] + value.shape[deep:]
    if not fits or not places.exact or use.attribute("reduction", "none") not in _REDUCTIONS:
        raise Refused("has updates that do not fit its indices")
    return [Value(value.dtype, value.shape)]


def _places(use: Use) -> Value:
    if use[1].dtype not in _PLACES:
        raise Refused("has indices that are not whole numbers")
    return use[1]


def _check_beside(places: tuple[int, ...], value: tuple[int, ...], axis: int) -> None:
    """Raise Refused unless ``places`` has the rank of ``value`` and, except along ``axis``, is no larger."""
    others = zip(places, value, strict=False)
    if len(places) != len(value) or any(a > b for i, (a, b) in enumerate(others) if i != axis):
        raise Refused("has indices that do not fit its values")
