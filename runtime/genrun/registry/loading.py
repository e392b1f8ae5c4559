"""Imports a plugin when it is used, checks its shape, and makes it with its options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import class_name
from genrun.contracts import Reader, options
from genrun.contracts.version import refusal
from genrun.errors import OptionError, PluginError, one_line
from genrun.registry.offered import PluginInfo, find

__all__ = ["METHODS", "load", "make", "make_reader", "option_names"]

# What a plugin of each kind has one of: a decoder chooses, or is a part of a chain.
METHODS = {
    "reader": ("read",),
    "decoder": ("choose", "apply", "pick", "bind", "stages"),
    "constraint": ("automaton",),
    "architecture": ("layers",),
}


def load(info: PluginInfo) -> Any:
    """Import one plugin, check that it has the shape of its kind, and return it.

    Raises PluginError, which names the distribution, if it has not, or for any exception of its module.
    """
    if info.fault:
        raise PluginError(f"{info.title} cannot be used: {info.fault}")
    if info.contract is not None and (refused := refusal(info.contract, info.distribution)):
        # Before it is imported, which might fail in other ways.
        raise PluginError(f"{info.title} {refused}", contract=info.contract)
    try:
        loaded = info.registered or info.entry_point.load()
    except BaseException as error:  # any module may raise anything at import
        blame(f"{info.title} failed to import", error, passing=())
    try:
        own = getattr(loaded, "contract", None)
        refused = None if own is None else refusal(own, info.distribution)
        wrong = refused or _wrong_shape(info, loaded)
    except BaseException as error:  # as may a metaclass, an annotation, a default factory
        blame(f"{info.title} cannot be used", error, passing=())
    if wrong:
        raise PluginError(f"{info.title} {wrong}", contract=own if refused and type(own) is int else None)
    return loaded


def _wrong_shape(info: PluginInfo, loaded: Any) -> str | None:
    """Return why ``loaded`` is not a plugin of its kind; None if it is."""
    methods = METHODS.get(info.kind)
    if methods is None:
        import click

        return None if isinstance(loaded, click.Command) else f"must be a click command; {info.value} is not"
    if not (inspect.isclass(loaded) and _has_one_of(methods, loaded)):
        return f"must be a class with a method {_either(methods)}; {info.value} is not"
    if not is_dataclass(loaded):
        return f"must be a dataclass, whose fields are its options; {info.value} is not"
    try:
        options.describe(loaded)
    except OptionError as error:
        return f"has options that cannot be used: {one_line(error)}"
    return None


def make_reader(name: str, values: Mapping[str, object] | None = None) -> Reader:
    """Return the reader ``name`` configured with ``values``."""
    return make("reader", name, values)  # type: ignore[no-any-return]


def option_names(kind: str, name: str) -> tuple[str, ...]:
    """Return the names of the options of the plugin ``name``."""
    return tuple(options.describe(load(find(kind, name))))


def make(kind: str, name: str, values: Mapping[str, object] | None = None, from_text: bool = True) -> Any:
    """Return the plugin ``name`` configured with ``values``; they may be text unless ``from_text`` is False."""
    info = find(kind, name)
    loaded = load(info)
    try:
        made = options.build(loaded, values or {}, what=f"{kind} {info.name!r}", from_text=from_text)
        if not _has_one_of(METHODS[kind], made):
            raise PluginError(f"{info.title} makes an object of the class {class_name(made)}, which is not a {kind}")
    except BaseException as error:  # from the plugin's own constructor
        blame(f"{kind} {info.name!r} of {info.distribution}", error)
    return made


def _either(names: Sequence[str]) -> str:
    *others, last = map(repr, names)
    return f"{', '.join(others)} or {last}" if others else last


def _has_one_of(methods: Sequence[str], plugin: object) -> bool:
    return any(callable(getattr(plugin, method, None)) for method in methods)
