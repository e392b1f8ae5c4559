"""The plugins that installed distributions offer, found by entry point, without an import of any.

Built-in names (those of the ``genrun`` distribution) are reserved. Using a name that two distributions offer is an
error; ``distribution:name`` selects one.
"""

from __future__ import annotations

import functools
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

import genrun
from genrun.checks.short_text import class_name, short_line, shown
from genrun.contracts.version import CONTRACT, FIRST, own_contract, refusal
from genrun.errors import OptionError, PluginError, UnknownPluginError, nearest

__all__ = ["GROUPS", "PluginInfo", "check_contract", "contract_of", "find", "name_of", "plugins", "refresh", "title"]

BUILT_IN = "genrun"
GROUPS = {
    "reader": "genrun.readers",
    "decoder": "genrun.decoders",
    "constraint": "genrun.constraints",
    "command": "genrun.commands",
}
CONTRACT_GROUP = "genrun.contract"
_KINDS = {group: kind for kind, group in GROUPS.items()}
_MOST_CHARACTERS = 100  # of a name


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin, read from package metadata alone, without importing it.

    The texts are short lines, safe for a terminal; ``entry_point`` has the original metadata.
    """

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

    @property
    def title(self) -> str:
        """The plugin's name in messages."""
        return f"{self.kind} {self.name!r} of {self.distribution} {self.version}"

    @property
    def contract(self) -> int | None:
        """The contract that the distribution's metadata names; None if it names none."""
        return CONTRACT if self.built_in else _declared(self.entry_point.dist)

    @property
    def fault(self) -> str | None:
        """What is wrong with the plugin's metadata; None if nothing is."""
        name = self.entry_point.name
        if name != self.name or not name or ":" in name:
            return f"a name has 1 to {_MOST_CHARACTERS} printable characters, and no colon"
        if self.kind in ("decoder", "constraint") and any(mark in name for mark in ',;="'):
            return f"a {self.kind}'s name has no comma, semicolon, equals or quotation mark"
        if not re.fullmatch("[a-z0-9-]+", self.distribution):
            return "its distribution has an invalid name"
        written = self.entry_point.pattern.match(self.entry_point.value)
        if written is None or not written["attr"]:
            return f"an entry point is written module:attribute, not {self.value!r}"
        return None


def _declared(distribution: metadata.Distribution | None) -> int | None:
    """Return the number of the entry point in the group ``genrun.contract``; -1 for what is no number."""
    for entry in distribution.entry_points if distribution is not None else ():
        if entry.group == CONTRACT_GROUP:
            return int(entry.name) if entry.name.isascii() and entry.name.isdecimal() else -1
    return None


def plugins(kind: str) -> tuple[PluginInfo, ...]:
    """Return all plugins of a ``kind`` (reader, decoder, constraint, command), sorted, without importing any."""
    return tuple(info for info in _offered() if info.kind == kind)


@functools.cache
def _offered() -> tuple[PluginInfo, ...]:
    found: dict[tuple[str, str, str], PluginInfo] = {}
    first: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        try:
            entries = _entries(distribution)
            name, version = (distribution.metadata["Name"], distribution.version) if entries else ("", "")
        except Exception:  # damaged metadata of any package, often the remains of an uninstall
            continue
        owner = short_line(re.sub(r"[-_.]+", "-", name or "").lower(), _MOST_CHARACTERS)
        if owner and entries and first.setdefault(owner, distribution) is distribution:  # of two versions, one
            for entry in entries:
                info = _info(entry, owner, version)
                found.setdefault((info.kind, info.qualified_name, info.value), info)
    return tuple(sorted(found.values(), key=lambda info: (not info.built_in, info.name, info.distribution)))


@functools.cache
def _by_name() -> Mapping[tuple[str, str], list[PluginInfo]]:
    """Return the plugins by kind and name, and by kind and qualified name."""
    found: defaultdict[tuple[str, str], list[PluginInfo]] = defaultdict(list)
    for info in _offered():
        for name in {info.name, info.qualified_name}:
            found[info.kind, name].append(info)
    return dict(found)


@functools.cache
def _built_in() -> tuple[PluginInfo, ...]:
    """Return genrun's own plugins. Their names are reserved, so finding one need not read other distributions."""
    try:
        entries = _entries(metadata.distribution(BUILT_IN))
    except Exception:  # not installed, or damaged
        return ()
    return tuple(_info(entry, BUILT_IN, genrun.__version__) for entry in entries)


def _entries(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    return [entry for entry in distribution.entry_points if entry.group in _KINDS]


def _info(entry: metadata.EntryPoint, owner: str, version: str | None) -> PluginInfo:
    name, version, value = (short_line(text, _MOST_CHARACTERS) for text in (entry.name, version or "?", entry.value))
    return PluginInfo(_KINDS[entry.group], name, owner, version, value, entry)


def refresh() -> None:
    """Clear the caches, so that plugins installed or removed since then are noticed."""
    for cache in (_offered, _by_name, _built_in, _contract_of_class):
        cache.cache_clear()


def find(kind: str, name: str) -> PluginInfo:
    """Return the one plugin called ``name`` or ``distribution:name``.

    Raises UnknownPluginError with the nearest names, or PluginError if two distributions offer the name.
    """
    for info in _built_in():
        if info.kind == kind and name in (info.name, info.qualified_name):
            return info
    exact = _by_name().get((kind, name), [])
    if not exact:
        accepted = {info.name for info in plugins(kind)}
        raise UnknownPluginError(f"unknown {kind} {shown(name)}; {nearest(name, accepted)}")
    if len(exact) > 1 and not exact[0].built_in:
        raise PluginError(f"{kind} {name!r} is offered {_more_than_once(exact)}")
    return exact[0]


def _more_than_once(offered: list[PluginInfo]) -> str:
    names = list(dict.fromkeys(info.qualified_name for info in offered))
    if len(names) == 1:
        return f"more than once by {offered[0].distribution}: {' and '.join(info.value for info in offered)}"
    return f"by more than one distribution; ask for {' or '.join(map(repr, names))}"


def title(kind: str, plugin: object) -> str:
    """Return what messages call the instance ``plugin``: its class and, if installed, its name and distribution.

    Nothing is imported.
    """
    name, info = f"{kind} {class_name(plugin)}", _info_of(kind, type(plugin))
    return name if info is None else f"{name} ({info.name!r} of {info.distribution} {info.version})"


def name_of(kind: str, plugin: object) -> str:
    """Return the name by which :func:`find` finds the class of ``plugin``; raises OptionError if it has none."""
    info = _info_of(kind, type(plugin))
    if info is None:
        raise OptionError(f"{kind} {class_name(plugin)} is not installed, so it has no name to be written by")
    return info.name if info.built_in else info.qualified_name


def _info_of(kind: str, cls: type[Any]) -> PluginInfo | None:
    for offered in (_built_in, _offered):  # the first need not read other distributions
        for info in offered():
            module = sys.modules.get(info.entry_point.module) if info.kind == kind and info.fault is None else None
            if isinstance(module, ModuleType) and vars(module).get(info.entry_point.attr) is cls:
                return info
    return None


def contract_of(kind: str, plugin: object) -> int:
    """Return the contract that the instance ``plugin`` was written for; nothing is imported.

    That of its class, or of the distribution that offers the class, or the first. Raises PluginError for one that
    this genrun does not work with.

    >>> contract_of("decoder", object())
    1
    """
    number = check_contract(kind, plugin)
    cls: Any = type(plugin)
    return _contract_of_class(kind, cls) if number is None else number


@functools.lru_cache(maxsize=256)
def _contract_of_class(kind: str, cls: type[Any]) -> int:
    """Return the contract of the distribution that offers ``cls``; the first if none does or it names none."""
    info = _info_of(kind, cls)
    if info is None or info.contract is None:
        return FIRST
    if wrong := refusal(info.contract, info.distribution):
        raise PluginError(f"{info.title} {wrong}")
    return info.contract


def check_contract(kind: str, plugin: object) -> int | None:
    """Return the contract that the class of ``plugin`` names, None if it names none.

    Raises PluginError for one that this genrun does not work with.
    """
    number: int | None = own_contract(plugin)
    if number is not None and (wrong := refusal(number)):
        raise PluginError(f"{kind} {class_name(plugin)} {wrong}")
    return number
