"""Installed distributions for tests: real package metadata in a folder on the path, read as pip's would be."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from genrun import registry

__all__ = ["DECODER", "Site", "site"]

# A third-party decoder as an author would write it.
DECODER = """\
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lowest:
    offset: int = 0

    def choose(self, logits, tokens, draws):
        return np.argmin(logits, axis=1) + self.offset
"""


class Site:
    """A folder that stands for site-packages."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch

    def hide_others(self) -> None:
        """Leave nothing on the path but this folder and the standard library, as if nothing else were installed."""
        others = [entry for entry in sys.path if "site-packages" not in entry]
        self._monkeypatch.setattr(sys, "path", [str(self.folder), *others])

    def install(
        self,
        name: str,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        *,
        version: str = "1.0",
        requires: Sequence[str] = (),
        direct_url: str | None = None,
        **modules: str,
    ) -> None:
        """Install a distribution: its entry points by group and name, its ``modules`` as source text.

        As pip does from an index; ``direct_url`` is the JSON that it records where it installs from elsewhere.
        """
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}", "utf-8")
        lines = [
            line
            for group, entries in (entry_points or {}).items()
            for line in (f"[{group}]", *(f"{entry} = {value}" for entry, value in entries.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
        (info / "INSTALLER").write_text("pip\n", "utf-8")
        if direct_url is not None:
            (info / "direct_url.json").write_text(direct_url, "utf-8")
        for module, source in modules.items():
            (self.folder / f"{module}.py").write_text(source, "utf-8")
        registry.refresh()


@contextmanager
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Put ``folder`` on the path, where distributions can be installed; undo everything afterwards."""
    monkeypatch.syspath_prepend(str(folder))
    registry.refresh()
    try:
        yield Site(folder, monkeypatch)
    finally:
        monkeypatch.undo()
        registry.refresh()
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(folder)):
                del sys.modules[name]
