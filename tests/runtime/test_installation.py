"""What to type fits how genrun was installed: from a clone, a wheel, an address, or an index."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from genrun.checks.installation import origin_of, pip_line, requirement, upgrade_line


def distribution(folder: Path, record: object = None, installer: str | None = "pip") -> metadata.Distribution:
    info = folder / "genrun-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: genrun\nVersion: 1.0\n", "utf-8")
    if record is not None:
        (info / "direct_url.json").write_text(record if isinstance(record, str) else json.dumps(record), "utf-8")
    if installer is not None:
        (info / "INSTALLER").write_text(installer, "utf-8")
    return metadata.Distribution.at(info)


@pytest.mark.parametrize(
    ("record", "line", "upgrade"),
    [
        (None, "pip install 'genrun[train]'", "pip install --upgrade genrun"),
        ("damaged", "pip install 'genrun[train]'", "pip install --upgrade genrun"),
        (
            {"url": "file:///src/my%20genrun", "dir_info": {"editable": True}},
            "pip install -e '/src/my genrun[train]'",
            "update the clone /src/my genrun",
        ),
        (
            {"url": "file:///src/genrun", "dir_info": {}},
            "pip install '/src/genrun[train]'",
            "update /src/genrun, then pip install /src/genrun",
        ),
        (
            {"url": "file:///tmp/genrun-1.0-py3-none-any.whl", "archive_info": {}},
            "pip install '/tmp/genrun-1.0-py3-none-any.whl[train]'",
            "install a newer wheel than /tmp/genrun-1.0-py3-none-any.whl",
        ),
        (
            {"url": "https://example.org/g.git", "vcs_info": {"vcs": "git", "requested_revision": "main"}},
            "pip install 'genrun[train] @ git+https://example.org/g.git@main'",
            "pip install --upgrade 'genrun @ git+https://example.org/g.git@main'",
        ),
    ],
)
def test_the_line_says_where_genrun_came_from(tmp_path: Path, record: Any, line: str, upgrade: str) -> None:
    origin = origin_of(distribution(tmp_path, record))
    assert (pip_line("train", origin), upgrade_line(origin)) == (line, upgrade)


def test_a_clone_is_a_point_where_one_stands_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = origin_of(distribution(tmp_path, installer=None))  # as setuptools leaves it in a clone
    assert pip_line("train", origin) == f"pip install -e '{tmp_path}[train]'"
    monkeypatch.chdir(tmp_path)
    assert pip_line("train", origin) == "pip install -e '.[train]'"


def test_metadata_of_another_genrun_on_the_path_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = distribution(tmp_path, installer=None)
    monkeypatch.setattr(metadata, "distributions", lambda name: (other,))
    assert pip_line("cpu") == "pip install 'genrun[cpu]'"


def test_without_any_record_the_index_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distributions", lambda name: ())
    assert (pip_line("cpu"), requirement("gpu")) == ("pip install 'genrun[cpu]'", "'genrun[gpu]'")
