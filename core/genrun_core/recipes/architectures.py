"""The architecture that a recipe names: an entry point of ``genrun.architectures``, with its own options."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from genrun import registry
from genrun.contracts import options
from genrun.errors import OptionError, PluginError, UnknownPluginError
from genrun_core.architectures import Architecture

__all__ = ["distribution_of", "is_trained", "made_architecture", "may_carry", "own_options"]


def made_architecture(name: str, values: Mapping[str, object], common: Collection[str]) -> Architecture:
    """Return the architecture ``name`` with its own options ``values``.

    ``common``: the names of the options of all networks. Raises OptionError for an unknown name or a wrong value,
    PluginError for a class that is no architecture or has an option with one of these names.
    """
    info = _found(name)
    loaded = registry.load(info)
    if not issubclass(loaded, Architecture):
        raise PluginError(f"{info.title} must be a subclass of genrun_core.architectures.Architecture")
    if taken := sorted(set(common) & set(options.describe(loaded))):
        raise PluginError(f"{info.title} has an option {taken[0]!r}, which is the name of an option of every network")
    made: Architecture = options.build(loaded, values, what=f"architecture {name!r}")
    return made


def own_options(name: str) -> tuple[str, ...]:
    """Return the names of the options that the architecture ``name`` has beside the common ones."""
    return tuple(options.describe(registry.load(_found(name))))


def is_trained(name: str) -> bool:
    """Return whether the architecture ``name`` is a network; an n-gram model is counted."""
    return bool(registry.load(_found(name)).trained)


def may_carry(name: object) -> bool:
    """Return whether a model whose card names this architecture may go on from text to text.

    One that is not installed here may, as most do.
    """
    try:
        return not isinstance(name, str) or bool(registry.load(registry.find("architecture", name)).carries)
    except (UnknownPluginError, PluginError):
        return True


def distribution_of(name: str) -> dict[str, str]:
    """Return the distribution that brings the architecture ``name``, and its version; nothing for genrun's own."""
    info = _found(name)
    return {} if info.built_in else {info.distribution: info.version}


def _found(name: str) -> registry.PluginInfo:
    try:
        return registry.find("architecture", name)
    except UnknownPluginError as error:  # one of the options of a recipe
        raise OptionError(str(error)) from error
