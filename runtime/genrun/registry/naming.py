"""The names of plugins that are already made: for messages, and to write them down."""

from __future__ import annotations

import sys
from types import ModuleType

from genrun.checks.short_text import class_name
from genrun.errors import OptionError
from genrun.registry.offered import PluginInfo, plugins

__all__ = ["name_of", "title"]


def title(kind: str, plugin: object) -> str:
    """Return what messages call the instance ``plugin``: its class and, if installed, its name and distribution.

    Nothing is imported.
    """
    name, info = f"{kind} {class_name(plugin)}", _info_of(kind, plugin)
    return name if info is None else f"{name} ({info.name!r} of {info.owner})"


def name_of(kind: str, plugin: object) -> str:
    """Return the name by which :func:`find` finds the class of ``plugin``; raises OptionError if it has none."""
    info = _info_of(kind, plugin)
    if info is None:
        raise OptionError(f"{kind} {class_name(plugin)} is not installed or registered, so it has no name")
    # What is registered may be installed elsewhere, or later, under the same name.
    return info.name if info.built_in or info.in_process else info.qualified_name


def _info_of(kind: str, plugin: object) -> PluginInfo | None:
    for info in plugins(kind):
        if info.registered is type(plugin):
            return info
        module = sys.modules.get(info.entry_point.module) if info.fault is None else None
        if isinstance(module, ModuleType) and vars(module).get(info.entry_point.attr) is type(plugin):
            return info
    return None
