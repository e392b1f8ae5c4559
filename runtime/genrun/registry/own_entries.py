"""genrun's own entry points, read from its metadata beside the package.

``importlib.metadata`` reads them as well, but its import takes a twentieth of the time of a ``genrun generate``. With
a built-in decoder, that time is saved.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import genrun

if TYPE_CHECKING:
    from importlib import metadata

__all__ = ["OwnEntry", "own_entries"]


class OwnEntry(NamedTuple):
    """An entry point of genrun, with what is used of ``importlib.metadata.EntryPoint``.

    >>> entry = OwnEntry("top-k", "genrun_plugins.decoders.top_k:TopK", "genrun.decoders")
    >>> entry.module, entry.attr, entry.load().__name__
    ('genrun_plugins.decoders.top_k', 'TopK', 'TopK')
    """

    name: str
    value: str
    group: str

    @property
    def module(self) -> str:
        """The module of the plugin."""
        return self.value.partition(":")[0].strip()

    @property
    def attr(self) -> str:
        """The name of the plugin in its module."""
        return self.value.partition(":")[2].strip()

    @property
    def dist(self) -> metadata.Distribution:
        """The distribution genrun."""
        from importlib import metadata

        return metadata.distribution("genrun")

    def load(self) -> Any:
        """Import the plugin and return it."""
        return getattr(import_module(self.module), self.attr)


def own_entries() -> list[OwnEntry]:
    """Return the entry points; none if the metadata is not beside the package, as after an editable installation."""
    beside = Path(genrun.__file__).parents[1] / f"genrun-{genrun.__version__}.dist-info" / "entry_points.txt"
    try:
        lines = beside.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    entries, group = list[OwnEntry](), ""
    for line in lines:
        name, equals, value = line.partition("=")
        if line.startswith("["):
            group = line.strip("[] ")
        elif equals:
            entries.append(OwnEntry(name.strip(), value.strip(), group))
    return entries
