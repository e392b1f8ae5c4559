"""The plugins that installed distributions offer, found by entry point, without an import of any.

Built-in names (those of the ``genrun`` distribution) are reserved. Using a name that two distributions offer is an
error; ``distribution:name`` selects one. GENRUN_PLUGINS may leave some out; what is registered in this process (see
:mod:`genrun.registry.in_process`) comes before what others installed.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import genrun
from genrun.checks.short_text import short_line, shown
from genrun.contracts.version import CONTRACT
from genrun.errors import PluginError, UnknownPluginError, nearest
from genrun.registry.limit import VARIABLE, Limit, PluginLimitWarning, current_limit, normalized
from genrun.registry.own_entries import OwnEntry, own_entries

if TYPE_CHECKING:
    from importlib import metadata

__all__ = [
    "GROUPS",
    "IN_PROCESS",
    "REGISTERED",
    "REMEMBERED",
    "PluginInfo",
    "built_in",
    "described",
    "find",
    "left_out",
    "plugins",
    "refresh",
]

BUILT_IN = "genrun"
IN_PROCESS = "this-process"  # the distribution of what is registered rather than installed
GROUPS = {
    "reader": "genrun.readers",
    "decoder": "genrun.decoders",
    "constraint": "genrun.constraints",
    "architecture": "genrun.architectures",
    "command": "genrun.commands",
}
CONTRACT_GROUP = "genrun.contract"
_KINDS = {group: kind for kind, group in GROUPS.items()}
_MOST_CHARACTERS = 100  # of a name


class PluginInfo(NamedTuple):
    """One plugin, read from package metadata alone, without importing it.

    The texts are short lines, safe for a terminal; ``entry_point`` has the original metadata. ``registered``: the
    class, if it is registered in this process rather than installed.
    """

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    entry_point: metadata.EntryPoint | OwnEntry
    registered: Any = None

    @property
    def in_process(self) -> bool:
        """Whether the plugin is registered in this process rather than installed."""
        return self.registered is not None

    @property
    def owner(self) -> str:
        """The distribution and its version."""
        return f"{self.distribution} {self.version}".rstrip()

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
        return f"{self.kind} {self.name!r} of {self.owner}"

    @property
    def contract(self) -> int | None:
        """The contract that the distribution's metadata names; None if it names none."""
        return CONTRACT if self.built_in else _declared(self.entry_point.dist)

    @property
    def fault(self) -> str | None:
        """What is wrong with the plugin's metadata; None if nothing is."""
        if isinstance(self.entry_point, OwnEntry):
            return None
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


REMEMBERED: list[Any] = []  # caches of others that know what is installed
REGISTERED: dict[tuple[str, str], PluginInfo] = {}  # by kind and name


def plugins(kind: str) -> tuple[PluginInfo, ...]:
    """Return all plugins of a ``kind``, one of ``GROUPS``, sorted, without importing any."""
    here = [info for info in list(REGISTERED.values()) if info.kind == kind]
    found = [info for info in _offered(current_limit()) if info.kind == kind]
    return tuple(sorted(here + found, key=lambda info: not info.built_in))


@functools.cache
def _offered(limit: Limit | None) -> tuple[PluginInfo, ...]:
    """Return the installed plugins that ``limit`` admits; warns of names in it that nothing has."""
    found = _installed()
    if limit is None:
        return found
    for message in limit.unknown((info.distribution, info.name) for info in found):
        warnings.warn(message, PluginLimitWarning, stacklevel=2)
    return tuple(info for info in found if info.built_in or limit.admits(info.distribution, info.name))


@functools.cache
def _installed() -> tuple[PluginInfo, ...]:
    from importlib import metadata

    found: dict[tuple[str, str, str], PluginInfo] = {}
    first: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        try:
            entries = _entries(distribution)
            name, version = (distribution.metadata["Name"], distribution.version) if entries else ("", "")
        except Exception:  # damaged metadata of any package, often the remains of an uninstall
            continue
        owner = short_line(normalized(name or ""), _MOST_CHARACTERS)
        if owner and entries and first.setdefault(owner, distribution) is distribution:  # of two versions, one
            for entry in entries:
                info = described(entry, owner, version)
                found.setdefault((info.kind, info.qualified_name, info.value), info)
    return tuple(sorted(found.values(), key=lambda info: (not info.built_in, info.name, info.distribution)))


@functools.cache
def _by_name(limit: Limit | None) -> Mapping[tuple[str, str], list[PluginInfo]]:
    """Return the installed plugins by kind and name, and by kind and qualified name."""
    found: defaultdict[tuple[str, str], list[PluginInfo]] = defaultdict(list)
    for info in _offered(limit):
        for name in {info.name, info.qualified_name}:
            found[info.kind, name].append(info)
    return dict(found)


@functools.cache
def built_in() -> tuple[PluginInfo, ...]:
    """Return genrun's own plugins. Their names are reserved, so finding one need not read other distributions."""
    entries: Sequence[metadata.EntryPoint | OwnEntry] = [each for each in own_entries() if each.group in _KINDS]
    if not entries:
        from importlib import metadata

        try:
            entries = _entries(metadata.distribution(BUILT_IN))
        except Exception:  # not installed, or damaged
            return ()
    return tuple(described(entry, BUILT_IN, genrun.__version__) for entry in entries)


def _entries(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    return [entry for entry in distribution.entry_points if entry.group in _KINDS]


def described(entry: metadata.EntryPoint | OwnEntry, owner: str, version: str | None) -> PluginInfo:
    """Return the plugin of an entry point of the distribution ``owner``."""
    name, version, value = (short_line(text, _MOST_CHARACTERS) for text in (entry.name, version or "?", entry.value))
    if owner == BUILT_IN:  # alike, whichever way they are found
        entry = OwnEntry(entry.name, entry.value, entry.group)
    return PluginInfo(_KINDS[entry.group], name, owner, version, value, entry)


def refresh() -> None:
    """Clear the caches, so that plugins installed or removed since then are noticed."""
    for cache in (_installed, _offered, _by_name, built_in, *REMEMBERED):
        cache.cache_clear()


def find(kind: str, name: str) -> PluginInfo:
    """Return the one plugin called ``name`` or ``distribution:name``.

    Raises UnknownPluginError with the nearest names, or PluginError if two distributions offer the name.
    """
    for info in built_in():
        if info.kind == kind and name in (info.name, info.qualified_name):
            return info
    if here := REGISTERED.get((kind, name.removeprefix(f"{IN_PROCESS}:"))):
        return here
    exact = _by_name(current_limit()).get((kind, name), [])
    if not exact:
        if why := left_out(kind, name):
            raise UnknownPluginError(why)
        accepted = {info.name for info in plugins(kind)}
        raise UnknownPluginError(f"unknown {kind} {shown(name)}; {nearest(name, accepted)}")
    if len(exact) > 1 and not exact[0].built_in:
        raise PluginError(f"{kind} {name!r} is offered {_more_than_once(exact)}")
    return exact[0]


def left_out(kind: str, name: str) -> str | None:
    """Return why an installed plugin ``name`` cannot be used: GENRUN_PLUGINS does not name it; None if it can."""
    limit = current_limit()
    if limit is None or _by_name(limit).get((kind, name)):
        return None
    for info in _by_name(None).get((kind, name), []):
        return f"{info.title} is left out by {VARIABLE}, which must name {info.distribution!r} or {info.name!r}"
    return None


def _more_than_once(offered: list[PluginInfo]) -> str:
    names = list(dict.fromkeys(info.qualified_name for info in offered))
    if len(names) == 1:
        return f"more than once by {offered[0].distribution}: {' and '.join(info.value for info in offered)}"
    return f"by more than one distribution; ask for {' or '.join(map(repr, names))}"
