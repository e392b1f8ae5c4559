"""What is known of plugins that are already made: their names, for messages and files, and their contracts."""

from __future__ import annotations

import functools
import sys
from functools import partial
from types import ModuleType
from typing import Any

from genrun.checks.short_text import class_name
from genrun.contracts.version import FIRST, refusal
from genrun.errors import OptionError, PluginError
from genrun.registry.offered import REMEMBERED, PluginInfo, built_in, plugins

__all__ = ["check_contract", "contract_of", "name_of", "title"]


def title(kind: str, plugin: object) -> str:
    """Return what messages call the instance ``plugin``: its class and, if installed, its name and distribution.

    Nothing is imported.
    """
    name, info = f"{kind} {class_name(plugin)}", _info_of(kind, type(plugin))
    return name if info is None else f"{name} ({info.name!r} of {info.owner})"


def name_of(kind: str, plugin: object) -> str:
    """Return the name by which :func:`find` finds the class of ``plugin``; raises OptionError if it has none."""
    info = _info_of(kind, type(plugin))
    if info is None:
        raise OptionError(f"{kind} {class_name(plugin)} is not installed or registered, so it has no name")
    # What is registered may be installed elsewhere, or later, under the same name.
    return info.name if info.built_in or info.in_process else info.qualified_name


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


REMEMBERED.append(_contract_of_class)


def check_contract(kind: str, plugin: object) -> int | None:
    """Return the contract that the class of ``plugin`` names, None if it names none.

    Raises PluginError for one that this genrun does not work with.
    """
    number: int | None = getattr(plugin, "contract", None)
    if number is not None and (wrong := refusal(number)):
        raise PluginError(f"{kind} {class_name(plugin)} {wrong}")
    return number


def _info_of(kind: str, cls: type[Any]) -> PluginInfo | None:
    for offered in (built_in, partial(plugins, kind)):  # the first need not read other distributions
        for info in offered():
            if info.kind == kind and _defines(info, cls):
                return info
    return None


def _defines(info: PluginInfo, cls: type[Any]) -> bool:
    if info.in_process:
        return info.registered is cls
    module = sys.modules.get(info.entry_point.module) if info.fault is None else None
    return isinstance(module, ModuleType) and vars(module).get(info.entry_point.attr) is cls
