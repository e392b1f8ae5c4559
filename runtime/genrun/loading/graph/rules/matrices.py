"""Matrix products, and their cost."""

from __future__ import annotations

import re

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, broadcast, elements

__all__: list[str] = []


@allow("MatMul", 2)
def _product(use: Use) -> list[Value]:
    return [Value(use[0].dtype, _multiplied(use))]


@allow("MatMulInteger", (2, 4), optional=(2, 3))
def _whole_product(use: Use) -> list[Value]:
    rows, columns = use[0].shape[-2:-1], use[1].shape[-1:]
    for zero, sizes in ((use.get(2), rows), (use.get(3), columns)):
        if zero is not None and zero.shape not in ((), (1,), sizes):
            raise Refused("has zero points that do not fit its matrices")
    return [Value("int32", _multiplied(use))]


def _multiplied(use: Use) -> tuple[int, ...]:
    a, b = use.exact(0).shape, use.exact(1).shape
    if not a or not b or a[-1] != b[-2 if len(b) > 1 else 0]:
        raise Refused(f"multiplies values of the shapes {list(a)} and {list(b)}")
    shape = broadcast(a[:-2], b[:-2]) + a[-2:-1] + (b[-1:] if len(b) > 1 else ())
    use.work += elements(shape) * a[-1]
    return shape


@allow("Gemm", (2, 3), optional=(2,), alpha="f", beta="f", transA="b", transB="b")
def _gemm(use: Use) -> list[Value]:
    a, b = use.exact(0).shape, use.exact(1).shape
    if len(a) != 2 or len(b) != 2:
        raise Refused("multiplies values that are not matrices")
    a = a[::-1] if use.attribute("transA", 0) else a
    b = b[::-1] if use.attribute("transB", 0) else b
    shape = (a[0], b[1])
    added = use.get(2)
    if a[1] != b[0] or (added is not None and broadcast(added.shape, shape) != shape):
        raise Refused(f"multiplies values of the shapes {list(a)} and {list(b)}")
    use.work += elements(shape) * a[1]
    return [Value(use[0].dtype, shape)]


@allow("Einsum", 2, equation="s")
def _einsum(use: Use) -> list[Value]:
    equation = re.fullmatch(r"([a-z]+),([a-z]+)->([a-z]*)", use.attribute("equation", "").replace(" ", ""))
    if equation is None:
        raise Refused("has an equation that this genrun does not know: two inputs, letters, and an arrow")
    sizes: dict[str, int] = {}
    for letters, value in zip(equation.groups()[:2], (use.exact(0), use.exact(1)), strict=True):
        if len(letters) != len(value.shape) or len(set(letters)) < len(letters):
            raise Refused("has an equation that does not fit its values")
        for letter, size in zip(letters, value.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise Refused("has an equation that does not fit its values")
    result = equation[3]
    if len(set(result)) < len(result) or not set(result) <= set(sizes):
        raise Refused("has an equation that does not fit its values")
    use.work += elements(sizes.values())
    return [Value(use[0].dtype, tuple(sizes[letter] for letter in result))]
