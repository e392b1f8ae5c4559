"""What is installed: every reader, decoder and command with its owner and whether it works."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from typing import Any

from genrun import options, registry
from genrun.errors import GenrunError, one_line

__all__ = ["ListedPlugin", "list_plugins"]


@dataclass(frozen=True, slots=True)
class ListedPlugin:
    """A plugin as listed. ``state`` is ``available``, or ``broken`` or ``hidden`` with the ``reason``.

    ``options`` are the option names with their defaults (null: a value is required); ``file`` is where it is defined.
    """

    kind: str
    name: str
    distribution: str
    version: str
    defined: str
    file: str | None
    state: str
    reason: str | None
    options: dict[str, Any]

    @property
    def columns(self) -> tuple[str, ...]:
        """The plugin as a row of texts."""
        state = self.state if self.reason is None else f"{self.state}: {self.reason}"
        return self.kind, self.name, f"{self.distribution} {self.version}", self.defined, state

    def to_json(self) -> dict[str, Any]:
        """Return the plugin as a JSON-ready dictionary."""
        return asdict(self)


def list_plugins() -> list[ListedPlugin]:
    """Return every offered plugin. Each is imported to see whether it works; what fails is listed as broken."""
    return [_listed(info) for kind in registry.GROUPS for info in registry.plugins(kind)]


def _listed(info: registry.PluginInfo) -> ListedPlugin:
    loaded, state, reason = None, "available", None
    try:
        loaded = registry.load(info)
        if registry.find(info.kind, info.name) != info:
            state = "hidden"
            reason = f"{info.name!r} is a built-in name; ask for {info.qualified_name!r}"
    except GenrunError as error:
        state, reason = ("broken" if loaded is None else "hidden"), one_line(error)
    return ListedPlugin(
        kind=info.kind,
        name=info.name,
        distribution=info.distribution,
        version=info.version,
        defined=info.value,
        file=_source_file(loaded),
        state=state,
        reason=reason,
        options=options.describe(loaded) if info.kind != "command" and loaded is not None else {},
    )


def _source_file(loaded: object) -> str | None:
    target = getattr(loaded, "callback", loaded)
    try:
        return inspect.getsourcefile(target)  # type: ignore[arg-type]
    except TypeError:
        return None
