"""Finds plugins by entry point: lists names without an import, and imports a plugin when it is used."""

from __future__ import annotations

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

_WITH_NUMPY = {
    "chain_json",
    "chain_stages",
    "chain_text",
    "decoder_options",
    "is_chain",
    "make_chain",
    "make_decoder",
}
_CONSTRAINTS = {"NamedPart", "make_constraint"}


def __getattr__(name: str) -> object:
    """Import what needs NumPy on first use (PEP 562): a command that lists plugins need not wait for it."""
    value: object
    if name in _WITH_NUMPY:
        from genrun.registry import chains

        value = getattr(chains, name)
    elif name in _CONSTRAINTS:
        from genrun.registry import constraints

        value = getattr(constraints, name)
    else:
        raise AttributeError(f"module 'genrun.registry' has no attribute {name!r}")
    globals()[name] = value
    return value
