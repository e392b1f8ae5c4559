"""Operators that work element by element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genrun.loading.graph.parts import DTYPES
from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, broadcast

__all__: list[str] = []

_WHOLE = ("int", "uint")
_KNOWN = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}
_MANY = 16


def _like(value: Value, dtype: str = "") -> Value:
    return Value(dtype or value.dtype, value.shape, loose=value.loose)


def _combined(values: Sequence[Value], dtype: str = "") -> Value:
    loose = frozenset().union(*(value.loose for value in values))
    return Value(dtype or values[0].dtype, broadcast(*(value.shape for value in values)), loose=loose)


@allow("Identity", 1)
def _identity(use: Use) -> list[Value]:
    return [use[0]]


@allow("Neg Abs Exp Log Sqrt Reciprocal Tanh Sigmoid Relu Softplus Softsign Erf Floor Ceil Round Sign Not", 1)
@allow("Sin Cos HardSwish Mish", 1)
@allow("LeakyRelu Elu Celu ThresholdedRelu", 1, alpha="f")
@allow("Selu", 1, alpha="f", gamma="f")
@allow("HardSigmoid", 1, alpha="f", beta="f")
@allow("Gelu", 1, approximate="s")
def _one(use: Use) -> list[Value]:
    return [_like(use[0])]


@allow("IsNaN", 1)
@allow("IsInf", 1, detect_negative="b", detect_positive="b")
def _asked(use: Use) -> list[Value]:
    return [_like(use[0], "bool")]


@allow("Add Sub Mul", 2)
def _arithmetic(use: Use) -> list[Value]:
    a, b = use.all
    result = _combined([a, b])
    if a.known is None or b.known is None or (use.node.operator == "Mul" and a.linear and b.linear):
        return [result]
    known = _KNOWN[use.node.operator](a.known, b.known)
    return [Value(result.dtype, result.shape, known, a.linear or b.linear)]


@allow("Div", 2)
@allow("Mod", 2, fmod="b")
def _division(use: Use) -> list[Value]:
    value, divisor = use.all
    if divisor.dtype.startswith(_WHOLE) and (divisor.known is None or np.isin(divisor.known, (0, -1)).any()):
        raise Refused("divides whole numbers by what may be 0")
    return [_combined([value, divisor])]


@allow("Pow And Or Xor PRelu", 2)
@allow("Min Max Sum Mean", (1, _MANY))
def _several(use: Use) -> list[Value]:
    return [_combined(use.all)]


@allow("Equal Less LessOrEqual Greater GreaterOrEqual", 2)
def _comparison(use: Use) -> list[Value]:
    return [_combined(use.all, "bool")]


@allow("Where", 3)
def _where(use: Use) -> list[Value]:
    return [_combined(use.all, use[1].dtype)]


@allow("Clip", (1, 3), optional=(1, 2))
def _clip(use: Use) -> list[Value]:
    for bound in (use.get(1), use.get(2)):
        if bound is not None and bound.shape:
            raise Refused("has a bound that is not a single number")
    return [_like(use[0])]


@allow("Cast", 1, to="i", saturate="b")
def _cast(use: Use) -> list[Value]:
    dtype = DTYPES.get(use.attribute("to", 0))
    if dtype is None:
        raise Refused("makes values of a type that this genrun does not know")
    value = use[0]
    kept = value.known if dtype in ("int64", "int32") else None
    return [Value(dtype, value.shape, kept, value.linear, value.loose)]


@allow("Softmax LogSoftmax", 1, axis="i")
def _softmax(use: Use) -> list[Value]:
    value = use[0]
    if not value.shape or not -len(value.shape) <= use.attribute("axis", -1) < len(value.shape):
        raise Refused("has an axis that its value does not have")
    return [_like(value)]


@allow("LayerNormalization", (2, 3), axis="i", epsilon="f", stash_type="i")
def _layer_normalization(use: Use) -> list[Value]:
    value = use.exact(0)
    axis = use.attribute("axis", -1)
    if not value.shape or not -len(value.shape) <= axis < len(value.shape) or use.attribute("stash_type", 1) != 1:
        raise Refused("has an axis or a type that it cannot have")
    expected = value.shape[axis % len(value.shape) :]
    if any(part.shape != expected for part in use.all[1:]):
        raise Refused(f"scales values of the shape {list(expected)} by those of another")
    return [_like(value)]


@allow("QuantizeLinear", 3, axis="i")
def _quantize(use: Use) -> list[Value]:
    return [_scaled(use, use[2].dtype)]


@allow("DequantizeLinear", (2, 3), axis="i")
def _dequantize(use: Use) -> list[Value]:
    return [_scaled(use, use[1].dtype)]


def _scaled(use: Use, dtype: str) -> Value:
    value, scale, axis = use.exact(0), use[1], use.attribute("axis", 1)
    parts = [part.shape for part in use.all[1:]]
    if scale.shape:
        fits = -len(value.shape) <= axis < len(value.shape) and scale.shape == (value.shape[axis],)
    else:
        fits = True
    if not fits or any(shape != scale.shape for shape in parts):
        raise Refused("has scales or zero points that do not fit its values")
    return Value(dtype, value.shape)


@allow("DynamicQuantizeLinear", 1, outputs=3)
def _dynamic(use: Use) -> list[Value]:
    return [Value("uint8", use.exact(0).shape), Value("float32", ()), Value("uint8", ())]
