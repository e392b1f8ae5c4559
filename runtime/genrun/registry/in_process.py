"""Plugins that are registered in the running process, such as in a notebook, rather than installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from genrun.errors import OptionError, PluginError, UnknownPluginError
from genrun.registry.loading import load
from genrun.registry.offered import GROUPS, IN_PROCESS, REGISTERED, PluginInfo, described, find

__all__ = ["constraint", "decoder", "forget", "reader", "register"]

Class = TypeVar("Class", bound=type)


def reader(name: str, *, replace: bool = False) -> Callable[[Class], Class]:
    """Return a class decorator that registers a reader under ``name`` in this process; see :func:`register`.

    >>> from dataclasses import dataclass
    >>> @reader("shouted")
    ... @dataclass(frozen=True)
    ... class Shouted:
    ...     def read(self, sources, report):
    ...         yield from (source.upper() for source in sources)
    >>> from genrun.registry import make_reader
    >>> list(make_reader("shouted").read(["hello"], None))
    ['HELLO']
    """
    return lambda loaded: register("reader", name, loaded, replace=replace)


def decoder(name: str, *, replace: bool = False) -> Callable[[Class], Class]:
    """Return a class decorator that registers a stage, chooser or decoder under ``name``; see :func:`register`.

    >>> from dataclasses import dataclass
    >>> @decoder("second")
    ... @dataclass(frozen=True)
    ... class Second:
    ...     def apply(self, candidates, states, draws):
    ...         return candidates.keep(candidates.logits < candidates.logits.max(axis=1, keepdims=True))
    >>> from genrun.registry import make_decoder
    >>> make_decoder("second,top-k:20").stages
    (Second(), TopK(k=20, temperature=1.0))
    """
    return lambda loaded: register("decoder", name, loaded, replace=replace)


def constraint(name: str, *, replace: bool = False) -> Callable[[Class], Class]:
    """Return a class decorator that registers a part of constraints under ``name``; see :func:`register`."""
    return lambda loaded: register("constraint", name, loaded, replace=replace)


def register(kind: str, name: str, loaded: Class, *, replace: bool = False) -> Class:
    """Register the dataclass ``loaded`` as the plugin ``name`` of a ``kind`` in this process, and return it.

    From then on the name is used as that of an installed plugin. A class of the same module that has the name already
    is replaced, as when the cell of a notebook runs twice. Raises OptionError if the name is taken by anything else,
    unless ``replace`` is True, and always for the name of a built-in plugin; PluginError if the class is no plugin
    of its kind.
    """
    if not isinstance(loaded, type):
        raise OptionError(f"a {kind} must be a class, not {loaded!r}")
    from importlib import metadata

    entry = metadata.EntryPoint(name, f"{loaded.__module__}:{loaded.__name__}", GROUPS[kind])
    info = described(entry, IN_PROCESS, None)._replace(version="", registered=loaded)
    load(info)
    before = _taken(kind, name)
    if before is not None and before.built_in:
        raise OptionError(f"{kind} {name!r} is a built-in name, which cannot be replaced; choose another one")
    again = before is not None and before.in_process and before.entry_point.module == loaded.__module__
    if before is not None and not again and not replace:
        owner = f"from {before.value}" if before.in_process else f"installed by {before.owner}"
        raise OptionError(f"{kind} {name!r} is {owner}; choose another name, or give replace=True")
    REGISTERED[kind, name] = info
    return loaded


def forget(kind: str, name: str) -> None:
    """Remove what :func:`register` has added; the name then means an installed plugin again, if there is one."""
    REGISTERED.pop((kind, name), None)


def _taken(kind: str, name: str) -> PluginInfo | None:
    try:
        return find(kind, name)
    except UnknownPluginError:
        return None
    except PluginError as error:  # two distributions offer it
        raise OptionError(f"{error}; a class needs another name") from error
