"""Finds plugins by entry point: lists names without importing anything, imports one when it is used.

Built-in names (those of the ``genrun`` distribution) are reserved. A name that two distributions offer is an error
on use, unless it is asked for as ``distribution:name``.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from importlib import metadata
from typing import Any

import genrun
from genrun import options
from genrun.contracts import Decoder, Reader
from genrun.errors import OptionError, PluginError, UnknownPluginError, nearest, one_line
from genrun.showing import shown

__all__ = [
    "GROUPS",
    "PluginInfo",
    "find",
    "load",
    "make_decoder",
    "make_reader",
    "option_names",
    "plugins",
    "refresh",
]

BUILT_IN = "genrun"
GROUPS = {"reader": "genrun.readers", "decoder": "genrun.decoders", "command": "genrun.commands"}
_KINDS = {group: kind for kind, group in GROUPS.items()}
_METHOD = {"reader": "read", "decoder": "choose"}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One offered plugin, read from package metadata alone; nothing of it is imported."""

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    entry_point: metadata.EntryPoint

    @property
    def built_in(self) -> bool:
        """Whether the plugin belongs to genrun itself."""
        return self.distribution == BUILT_IN

    @property
    def qualified_name(self) -> str:
        """``distribution:name``, which is never ambiguous."""
        return f"{self.distribution}:{self.name}"


def plugins(kind: str) -> tuple[PluginInfo, ...]:
    """Return everything that is offered as ``kind`` (reader, decoder, command), sorted, nothing imported."""
    return tuple(info for info in _offered() if info.kind == kind)


@functools.cache
def _offered() -> tuple[PluginInfo, ...]:
    found: dict[tuple[str, str], PluginInfo] = {}
    for distribution in metadata.distributions():
        try:
            entries = _entries(distribution)
            name, version = (distribution.metadata["Name"], distribution.version) if entries else ("", "")
        except Exception:  # damaged metadata, often the remains of an uninstall, of a package that may be any
            continue
        owner = re.sub(r"[-_.]+", "-", name or "").lower()
        for entry in entries if owner else ():
            info = PluginInfo(_KINDS[entry.group], entry.name, owner, version, entry.value, entry)
            found.setdefault((info.kind, info.qualified_name), info)  # of two versions, the first on the path
    return tuple(sorted(found.values(), key=lambda info: (not info.built_in, info.name, info.distribution)))


@functools.cache
def _built_in() -> tuple[PluginInfo, ...]:
    """Return our own plugins. Their names are reserved, so whoever asks for one need not read what others offer."""
    try:
        entries = _entries(metadata.distribution(BUILT_IN))
    except Exception:  # not installed, or damaged
        return ()
    return tuple(
        PluginInfo(_KINDS[entry.group], entry.name, BUILT_IN, genrun.__version__, entry.value, entry)
        for entry in entries
    )


def _entries(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    return [entry for entry in distribution.entry_points if entry.group in _KINDS]


def refresh() -> None:
    """Forget what was found, so that plugins installed or removed since are noticed."""
    _offered.cache_clear()
    _built_in.cache_clear()


def find(kind: str, name: str) -> PluginInfo:
    """Return the one plugin called ``name`` or ``distribution:name``.

    Raises UnknownPluginError with the nearest names, or PluginError where two distributions offer the name.
    """
    built_in = _called(name, (info for info in _built_in() if info.kind == kind))
    if built_in:
        return built_in[0]
    offered = plugins(kind)
    exact = _called(name, offered)
    if not exact:
        raise UnknownPluginError(f"unknown {kind} {shown(name)}; {nearest(name, {i.name for i in offered})}")
    if len(exact) > 1 and not exact[0].built_in:
        choices = " or ".join(repr(info.qualified_name) for info in exact)
        raise PluginError(f"{kind} {name!r} is offered by more than one distribution; ask for {choices}")
    return exact[0]


def _called(name: str, offered: Iterable[PluginInfo]) -> list[PluginInfo]:
    return [info for info in offered if name in (info.name, info.qualified_name)]


def load(info: PluginInfo) -> Any:
    """Import one plugin and check that it has the shape of its kind; PluginError names the distribution."""
    where = f"{info.kind} {info.name!r} of {info.distribution} {info.version}"
    try:
        loaded = info.entry_point.load()
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything at import
        raise PluginError(f"{where} failed to import: {type(error).__name__}: {one_line(error)}") from error
    method = _METHOD.get(info.kind)
    if method is not None and not (inspect.isclass(loaded) and callable(getattr(loaded, method, None))):
        raise PluginError(f"{where} must be a class with a method {method!r}; {info.value} is not")
    if method is not None:
        _check_options(where, info, loaded)
    elif not callable(getattr(loaded, "main", None)):
        raise PluginError(f"{where} must be a click command; {info.value} is not")
    return loaded


def _check_options(where: str, info: PluginInfo, loaded: type[Any]) -> None:
    if not is_dataclass(loaded):
        raise PluginError(f"{where} must be a dataclass, whose fields are its options; {info.value} is not")
    try:
        options.describe(loaded)
    except Exception as error:  # annotations and default factories are a stranger's code too
        raise PluginError(f"{where} has options that cannot be used: {one_line(error)}") from error


def make_reader(name: str, values: Mapping[str, object] | None = None) -> Reader:
    """Return the reader ``name`` configured with ``values``."""
    return _make("reader", name, values)  # type: ignore[no-any-return]


def make_decoder(name: str, values: Mapping[str, object] | None = None, *, from_text: bool = True) -> Decoder:
    """Return the decoder ``name`` configured with ``values``, which may be text unless ``from_text`` is False.

    >>> make_decoder("top-k", {"k": "5"})
    TopK(k=5, temperature=1.0)
    """
    return _make("decoder", name, values, from_text)  # type: ignore[no-any-return]


def option_names(kind: str, name: str) -> tuple[str, ...]:
    """Return the names of the options of the plugin ``name``."""
    return tuple(options.describe(load(find(kind, name))))


def _make(kind: str, name: str, values: Mapping[str, object] | None, from_text: bool = True) -> Any:
    info = find(kind, name)
    what = f"{kind} {info.name!r}"
    try:
        return options.build(load(info), values or {}, what=what, from_text=from_text)
    except (OptionError, PluginError):
        raise
    except Exception as error:  # the plugin's own constructor
        raise PluginError(f"{what} of {info.distribution}: {type(error).__name__}: {one_line(error)}") from error
