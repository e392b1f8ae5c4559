"""What readers, decoders and constraints promise alike: options that survive JSON, and no chance from elsewhere."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from genrun.checks.short_text import class_name, short_line
from genrun.contracts import options
from genrun.errors import one_line
from genrun.registry import check_contract
from genrun.testing.outcomes import Failed

__all__ = ["check_options", "fresh", "no_global_chance", "unchanged"]


def check_options(kind: str, plugin: Any) -> None:
    """Raise Failed unless ``plugin`` is a frozen dataclass whose options come back from JSON as they were."""
    if isinstance(plugin, type):
        raise Failed(f"{plugin.__name__} is a class; check an object, such as {plugin.__name__}()")
    if not dataclasses.is_dataclass(plugin):
        raise Failed(f"{class_name(plugin)} must be a dataclass, whose fields are its options")
    check_contract(kind, plugin)
    if not _is_frozen(type(plugin)):
        raise Failed(f"{class_name(plugin)} must be a frozen dataclass, @dataclass(frozen=True): it has no state")
    try:
        options.describe(type(plugin))
        written = json.loads(json.dumps(options.to_json(plugin), allow_nan=False))
        again = options.build(type(plugin), written, what=class_name(plugin))
    except (TypeError, ValueError) as error:
        raise Failed(f"its options do not survive JSON: {one_line(error)}") from error
    if again != plugin:
        raise Failed(
            f"its options do not survive JSON: {short_line(repr(plugin))} comes back as {short_line(repr(again))}"
        )


def fresh(plugin: Any) -> Any:
    """Return another object with the same options."""
    return options.build(type(plugin), options.to_json(plugin), what=class_name(plugin))


def _is_frozen(cls: Any) -> bool:
    return bool(cls.__dataclass_params__.frozen)


@contextmanager
def no_global_chance() -> Iterator[None]:
    """Raise Failed at the end of the block if it has used the random numbers of the process."""
    before = _global_chance()
    try:
        yield
    except Failed:
        if _global_chance() == before:
            raise  # otherwise the cause is known
    if _global_chance() != before:
        raise Failed("it uses global randomness, `random` or `np.random`; then texts cannot be made again")


def _global_chance() -> Any:
    name, keys, *rest = np.random.get_state(legacy=True)
    return random.getstate(), name, np.asarray(keys).tobytes(), tuple(rest)


def unchanged(before: Any, after: Any) -> bool:
    """Return whether two values are the same inside, arrays included.

    >>> unchanged({"a": (np.zeros(2), 1)}, {"a": (np.zeros(2), 1)}), unchanged([1], [2])
    (True, False)
    """
    if type(before) is not type(after):
        return False
    if isinstance(before, np.ndarray):
        return before.dtype == after.dtype and np.array_equal(before, after)
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(unchanged(value, after[key]) for key, value in before.items())
    if isinstance(before, (tuple, list)):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if "__eq__" not in {name for cls in type(before).__mro__[:-1] for name in vars(cls)} and hasattr(
        before, "__dict__"
    ):
        return unchanged(vars(before), vars(after))
    return bool(before == after)
