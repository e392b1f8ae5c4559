"""The description of an operator, and one use of it in a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.loading.graph.parts import Node
from genrun.loading.graph.rules.value import Refused, Value

__all__ = ["OPERATORS", "Operator", "Rule", "Use", "allow"]


@dataclass(slots=True)
class Use:
    """One node with its inputs, ``None`` for an omitted one; a rule adds its multiplications to ``work``."""

    node: Node
    inputs: Sequence[Value | None]
    work: int = field(default=0)

    def __getitem__(self, index: int) -> Value:
        """Return a required input; raises Refused if it is omitted."""
        value = self.get(index)
        if value is None:
            raise Refused(f"lacks its input {index}")
        return value

    def get(self, index: int) -> Value | None:
        """Return an input, None if it is omitted."""
        return self.inputs[index] if index < len(self.inputs) else None

    @property
    def all(self) -> list[Value]:
        """All inputs; raises Refused if one is omitted."""
        return [self[index] for index in range(len(self.inputs))]

    def exact(self, index: int) -> Value:
        """Return an input; raises Refused unless its shape is known exactly."""
        if not self[index].exact:
            raise Refused("takes a value whose size is not known beforehand")
        return self[index]

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute."""
        found = self.node.attributes.get(name)
        return default if found is None else found.value

    def known(self, index: int) -> NDArray[np.int64]:
        """Return the numbers of an input, such as a shape; raises Refused unless they are known beforehand."""
        numbers = self[index].known
        if numbers is None:
            raise Refused(f"takes its input {index} from what is computed, so its cost cannot be known beforehand")
        return numbers

    def numbers(self, index: int, attribute: str) -> list[int] | None:
        """Return a list of numbers: an input or, in older graphs, an attribute; None if it is omitted."""
        listed = self.attribute(attribute)
        if listed is not None:
            return list(listed)
        return None if self.get(index) is None else self.known(index).ravel().tolist()


Rule = Callable[[Use], Sequence[Value]]


class Operator(NamedTuple):
    """An operator that a graph may use.

    ``inputs``, ``outputs``: the least and greatest number. ``optional``: the inputs that may be omitted.
    ``attributes``: the type of each, a letter of :class:`~genrun.loading.graph.file.Attribute`, or b for 0 or 1.
    """

    rule: Rule
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    optional: frozenset[int]
    attributes: Mapping[str, str]


OPERATORS: dict[str, Operator] = {}


def allow(
    names: str,
    inputs: int | tuple[int, int],
    outputs: int | tuple[int, int] = 1,
    optional: Sequence[int] = (),
    **attributes: str,
) -> Callable[[Rule], Rule]:
    """Add the operators ``names``, separated by spaces, with the decorated function as their rule."""

    def pair(count: int | tuple[int, int]) -> tuple[int, int]:
        return (count, count) if isinstance(count, int) else count

    def add(rule: Rule) -> Rule:
        for name in names.split():
            OPERATORS[name] = Operator(rule, pair(inputs), pair(outputs), frozenset(optional), attributes)
        return rule

    return add
