"""Plugin options as frozen dataclasses: built from text or JSON, checked once, and converted back to JSON.

A plugin (reader or decoder) is a frozen dataclass whose fields are its options. Values arrive as text from the
command line (``k=40``) or as JSON values from a model file. This module converts them to the field's type and
raises :class:`~genrun.errors.OptionError` for a wrong name or value.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType
from typing import Any, TypeVar

from genrun.checks.short_text import shown
from genrun.errors import OptionError, nearest, one_line

__all__ = ["build", "convert", "describe", "parse_assignments", "split_pairs", "to_json"]

T = TypeVar("T")

_hints = functools.lru_cache(maxsize=256)(typing.get_type_hints)

_MOST_CHARACTERS = 10_000  # of a default value; a longer one is shortened
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_KIND = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def build(
    cls: type[T],
    values: Mapping[str, object],
    *,
    what: str,
    from_text: bool = True,
    as_is: Mapping[str, object] = types.MappingProxyType({}),
) -> T:
    """Return an instance of the options dataclass ``cls`` made from ``values`` (text or JSON values by field name).

    ``what`` names the owner in errors, for example ``"decoder 'top-k'"``. With ``from_text`` False, for calls from
    Python, text is accepted only for an option of type str. ``as_is``: fields that are no options. Raises OptionError
    for an unknown name, for a value of the wrong type, and for a value that the class itself refuses.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Example:
    ...     k: int = 40
    >>> build(Example, {"k": "7"}, what="decoder 'example'")
    Example(k=7)
    """
    fields = {name: field for name, field in _fields(cls).items() if name not in as_is}
    hints = _hints(typing.cast(Any, cls))
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise OptionError(f"{what} has no option {shown(name)}; {nearest(name, fields)}")
        converted[name] = convert(value, hints[name], what=f"{what}: {name}", from_text=from_text)
    missing = [name for name, field in fields.items() if _required(field) and name not in converted]
    if missing:
        raise OptionError(f"{what} needs the option {missing[0]!r}: --set {missing[0]}=…")
    try:
        return cls(**converted, **as_is)
    except OptionError as error:
        raise OptionError(f"{what}: {one_line(error)}") from error


def convert(value: object, hint: Any, *, what: str, from_text: bool = True) -> Any:
    """Convert ``value`` to the type ``hint`` (int, float, bool, str, tuples of str, or one of these or None)."""
    text = isinstance(value, str)
    none = value is None or (text and from_text and value in ("none", ""))
    if none and _is_union(hint) and NoneType in typing.get_args(hint):
        return None
    target = _target(hint, what=what)
    if text and not from_text and target is not str:
        pass
    elif typing.get_origin(target) is tuple:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            return tuple(value)
    elif (result := _scalar(value, target)) is not None:
        return result
    kind = _KIND.get(target, "a comma-separated list" if from_text else "a list of texts")
    raise OptionError(f"{what} must be {kind}, not {shown(value)}")


def to_json(options: object) -> dict[str, Any]:
    """Return the options of a dataclass instance as a JSON-ready dictionary: the inverse of :func:`build`."""
    if not dataclasses.is_dataclass(options) or isinstance(options, type):
        raise OptionError(f"{type(options).__name__} is not a dataclass instance, so its options cannot be written")
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(options) if f.init}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def describe(cls: type[Any]) -> dict[str, Any]:
    """Return the option names of a dataclass with their defaults, JSON-ready (None for a required option).

    Raises NameError for an annotation that cannot be resolved, OptionError for a type that is not accepted.
    """
    hints = _hints(typing.cast(Any, cls))
    described = {}
    for name, field in _fields(cls).items():
        _target(hints[name], what=name)
        default = _default(field)
        described[name] = default if _is_json(default) else shown(default)
    return described


def parse_assignments(pairs: Iterable[str]) -> dict[str, str]:
    """Return ``key=value`` texts, the arguments of ``--set``, as a dictionary.

    >>> parse_assignments(["k=5", "stop=a=b"])
    {'k': '5', 'stop': 'a=b'}
    """
    return dict(split_pairs(pairs, "--set takes key=value"))


def split_pairs(pairs: Iterable[str], accepted: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the value of ``key=value`` texts; raises OptionError, which says what is ``accepted``."""
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise OptionError(f"{accepted}, not {shown(pair)}")
        yield key.strip(), value


def _fields(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    if not dataclasses.is_dataclass(cls):
        raise OptionError(f"{cls.__name__} is not a dataclass, so it has no options")
    return {field.name: field for field in dataclasses.fields(cls) if field.init}


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    else:
        default = None if field.default is dataclasses.MISSING else field.default
    return list(default) if isinstance(default, tuple) else default


def _is_json(default: object) -> bool:
    """Return whether every JSON parser accepts ``default``: no NaN, no lone surrogates, nothing very large."""
    if type(default) is list:
        return all(type(part) is str and _is_json(part) for part in default)
    if type(default) is str:
        return len(default) <= _MOST_CHARACTERS and not re.search("[\ud800-\udfff]", default)
    if type(default) is float:
        return math.isfinite(default)
    return default is None or type(default) is bool or (type(default) is int and abs(default) < 2**63)


def _target(hint: Any, *, what: str) -> Any:
    """Return the one accepted type of ``hint`` other than None."""
    alternatives = [h for h in (typing.get_args(hint) if _is_union(hint) else (hint,)) if h is not NoneType]
    if len(alternatives) == 1 and (alternatives[0] in _KIND or typing.get_args(alternatives[0]) == (str, ...)):
        return alternatives[0]
    raise OptionError(f"{what} has the type {hint}; an option may be int, float, bool, str, tuple[str, ...], or None")


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _scalar(value: object, target: type[Any]) -> object | None:
    """Return ``value`` as int, float, bool or str; None if it does not fit."""
    if target is bool:
        if isinstance(value, bool):
            return value
        lowered = value.lower() if isinstance(value, str) else ""
        return True if lowered in _TRUE else False if lowered in _FALSE else None
    if isinstance(value, bool) or value is None:
        return None
    if target is str:
        return value if isinstance(value, str) else None
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        value = float(value)  # NumPy's numbers too
    if target is int and isinstance(value, float):
        return int(value) if value.is_integer() else None
    if target in (int, float) and isinstance(value, (numbers.Real, str)):
        try:
            return target(value)  # type: ignore[no-any-return]
        except (ValueError, OverflowError):
            return None
    return None
