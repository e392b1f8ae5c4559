"""Lists every installed plugin: its distribution, its contract, whether it works, and the remedy if it is broken."""

from __future__ import annotations

import functools
import shlex
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from genrun import registry
from genrun.checks.installation import origin_of
from genrun.checks.short_text import short_line
from genrun.contracts.version import FIRST, refusal
from genrun.diagnosing.plugin_look import fault, look
from genrun.diagnosing.plugin_trial import try_plugins
from genrun.errors import GenrunError, one_line

__all__ = ["ListedPlugin", "list_plugins", "remedy"]


@dataclass(frozen=True, slots=True)
class ListedPlugin:
    """A listed plugin.

    ``state``: ``available``; or ``broken`` or ``hidden``, with a ``reason``. ``options``: the option names with their
    defaults (null: required). ``file``: the file that defines it, or for a broken plugin its package.
    ``raised_at``: the line of the plugin that raised an error, ``FILE:LINE``. ``installed_from``: the folder or
    address that its distribution was installed from (null: an index). ``contract``: the number of the contract that
    it was written for (null: not known, since it is broken).
    """

    kind: str
    name: str
    distribution: str
    version: str
    contract: int | None
    defined: str
    file: str | None
    state: str
    reason: str | None
    raised_at: str | None
    installed_from: str | None
    options: dict[str, Any]

    @property
    def columns(self) -> tuple[str, ...]:
        """The plugin as a row of texts."""
        state = self.state if self.reason is None else f"{self.state}: {self.reason}"
        shipped, contract = f"{self.distribution} {self.version}".rstrip(), f"contract {self.contract or '?'}"
        return self.kind, self.name, shipped, contract, self.defined, state

    def to_json(self) -> dict[str, Any]:
        """Return the plugin as a JSON-ready dictionary."""
        return asdict(self)


def list_plugins() -> list[ListedPlugin]:
    """Return all installed plugins. Each is imported to find out whether it works; one that fails is ``broken``.

    Plugins other than genrun's own are imported in other processes, since they may crash, hang or print. Those of a
    contract that this genrun does not work with are not imported at all.
    """
    offered = [info for kind in registry.GROUPS for info in registry.plugins(kind)]
    others = [info for info in offered if not (info.built_in or info.in_process)]
    strangers = [info for info in others if info.contract is None or refusal(info.contract) is None]
    tried = dict(zip(map(id, strangers), try_plugins(strangers), strict=True))
    return [_listed(info, tried[id(info)] if id(info) in tried else _looked_at_here(info)) for info in offered]


def _looked_at_here(info: registry.PluginInfo) -> dict[str, Any]:
    try:
        return look(info)
    except GenrunError as error:
        return fault(info, error)


def _listed(info: registry.PluginInfo, answer: dict[str, Any]) -> ListedPlugin:
    state = "available" if answer["reason"] is None else "broken"
    hidden = _why_hidden(info) if state == "available" else None
    if hidden is not None:
        state, answer = "hidden", {**answer, "reason": hidden}
    contract = answer["contract"] or info.contract or (0 if state == "broken" else FIRST)
    return ListedPlugin(
        kind=info.kind,
        name=info.name,
        distribution=info.distribution,
        version=info.version,
        defined=info.value,
        state=state,
        installed_from=_installed_from(info.entry_point.dist),
        **{**answer, "contract": contract if contract >= FIRST else None},
    )


def _why_hidden(info: registry.PluginInfo) -> str | None:
    try:
        found = registry.find(info.kind, info.name)
        if found == info:
            return None
        if found.in_process:
            return f"{found.value}, registered in this process, replaces it"
    except GenrunError as error:
        return one_line(error)
    return f"{info.name!r} is a built-in name; ask for {info.qualified_name!r}"


@functools.lru_cache(maxsize=8)  # the plugins of a distribution are neighbours in the list
def _installed_from(distribution: metadata.Distribution | None) -> str | None:
    """Return the folder, file or address that ``distribution`` was installed from; None for an index such as PyPI.

    Without a record of an installer, it is the folder that contains the distribution.
    """
    kind, where = origin_of(distribution)
    return None if kind == "index" else short_line(where)


def remedy(distribution: str, origin: str | None, file: str | None, raised_at: str | None) -> str:
    """Return the remedy for a broken plugin of ``distribution``, which was installed from ``origin``.

    >>> remedy("acme", None, None, "/site/acme.py:3")
    'pip install --upgrade acme, or pip uninstall acme  (it fails in /site/acme.py:3)'
    >>> remedy("acme", "/home/me/acme", "/home/me/acme/acme.py", None)
    'correct /home/me/acme/acme.py, or pip uninstall acme  (it is installed from /home/me/acme)'
    """
    name = shlex.quote(distribution)
    if origin is None:
        where = f"  (it fails in {raised_at})" if raised_at else f"  (it is in {file})" if file else ""
        return f"pip install --upgrade {name}, or pip uninstall {name}{where}"
    return f"correct {raised_at or file or origin}, or pip uninstall {name}  (it is installed from {origin})"
