"""Finds plugins by entry point: lists names without an import, and imports a plugin when it is used."""

from genrun.registry.loading import load, make_decoder, make_reader, option_names
from genrun.registry.offered import GROUPS, PluginInfo, find, plugins, refresh, title

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
    "title",
]
