"""What the folder ``examples`` has: programs to import, and plugins to offer as if they were installed."""

from __future__ import annotations

import configparser
import contextlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from genrun import registry

__all__ = ["example_module", "offered", "offered_example", "program"]


@contextlib.contextmanager
def offered(folder: Path, name: str, groups: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    """Offer the entry points ``groups`` of a distribution whose metadata is written to ``folder``, for a while."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    written = configparser.ConfigParser(delimiters=("=",))
    written.read_dict(groups)
    with (metadata / "entry_points.txt").open("w", encoding="utf-8") as file:
        written.write(file)
    sys.path.append(str(folder))
    registry.refresh()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        registry.refresh()


@contextlib.contextmanager
def offered_example(example: Path, folder: Path) -> Iterator[None]:
    """Offer the plugins of one of the examples, whose modules can be imported then; ``folder`` is an empty one."""
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    with offered(folder, project["name"], project["entry-points"]):
        yield


def example_module(example: Path, module: str) -> ModuleType:
    """Import the tests of an example from ``tests/MODULE.py`` in its folder."""
    return program(example / "tests" / f"{module}.py")


def program(path: Path) -> ModuleType:
    """Import a program of the folder ``examples`` from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[loaded.__name__] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded
