"""Finds plugins by entry point: lists names without an import, and imports a plugin when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrun.registry.loading import load, make_reader, option_names
from genrun.registry.offered import GROUPS, PluginInfo, find, plugins, refresh, title

if TYPE_CHECKING:
    from genrun.registry.chains import chain_json, chain_text, decoder_options, is_chain, make_chain, make_decoder

__all__ = [
    "GROUPS",
    "PluginInfo",
    "chain_json",
    "chain_text",
    "decoder_options",
    "find",
    "is_chain",
    "load",
    "make_chain",
    "make_decoder",
    "make_reader",
    "option_names",
    "plugins",
    "refresh",
    "title",
]

_WITH_NUMPY = {"chain_json", "chain_text", "decoder_options", "is_chain", "make_chain", "make_decoder"}


def __getattr__(name: str) -> object:
    """Import what needs NumPy on first use (PEP 562): a command that lists plugins need not wait for it."""
    if name not in _WITH_NUMPY:
        raise AttributeError(f"module 'genrun.registry' has no attribute {name!r}")
    from genrun.registry import chains

    value: object = getattr(chains, name)
    globals()[name] = value
    return value
