"""Finds plugins by entry point: lists names without an import, and imports a plugin when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from genrun.registry.loading import load, make_reader, option_names
from genrun.registry.naming import check_contract, contract_of, title
from genrun.registry.offered import GROUPS, PluginInfo, find, left_out, plugins, refresh

if TYPE_CHECKING:
    from genrun.registry.chains import (
        chain_json,
        chain_stages,
        chain_text,
        decoder_options,
        is_chain,
        make_chain,
        make_decoder,
    )
    from genrun.registry.constraints import NamedPart, make_constraint

__all__ = [
    "GROUPS",
    "NamedPart",
    "PluginInfo",
    "chain_json",
    "chain_stages",
    "chain_text",
    "check_contract",
    "contract_of",
    "decoder_options",
    "find",
    "is_chain",
    "left_out",
    "load",
    "make_chain",
    "make_constraint",
    "make_decoder",
    "make_reader",
    "option_names",
    "plugins",
    "refresh",
    "title",
]

_CONSTRAINTS = ("NamedPart", "make_constraint")


def __getattr__(name: str) -> object:
    """Import what needs NumPy on first use (PEP 562): a command that lists plugins need not wait for it."""
    if name not in __all__:
        raise AttributeError(f"module 'genrun.registry' has no attribute {name!r}")
    module = import_module(f"genrun.registry.{'constraints' if name in _CONSTRAINTS else 'chains'}")
    value: object = getattr(module, name)
    globals()[name] = value
    return value
