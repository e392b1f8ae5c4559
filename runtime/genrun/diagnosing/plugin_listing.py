"""Lists every installed plugin, with its distribution, its contract, and whether it works."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from genrun import registry
from genrun.contracts.version import FIRST, refusal
from genrun.diagnosing.plugin_look import fault, look
from genrun.diagnosing.plugin_origin import installed_from
from genrun.diagnosing.plugin_trial import try_plugins
from genrun.errors import GenrunError, one_line

__all__ = ["ListedPlugin", "list_plugins"]


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
    strangers = [info for info in offered if not (info.built_in or info.in_process or _is_refused(info))]
    tried = dict(zip(map(id, strangers), try_plugins(strangers), strict=True))
    return [_listed(info, tried[id(info)] if id(info) in tried else _looked_at_here(info)) for info in offered]


def _is_refused(info: registry.PluginInfo) -> bool:
    return info.contract is not None and refusal(info.contract) is not None


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
        installed_from=installed_from(info.entry_point.dist),
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
