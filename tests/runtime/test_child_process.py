"""Processes that genrun starts have the packages of this one, and nothing of the current folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import genrun
from genrun.diagnosing.child_process import child_command, child_environment
from genrun.diagnosing.plugin_listing import list_plugins
from genrun.diagnosing.provider_trial import try_provider
from support.distributions import DECODER, Site

NAMES = ("onnxruntime", "genrun", "json", "numpy", "multiprocessing", "genrun_plugins")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where modules lie that go by the names of what genrun needs."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text("open('sprung', 'w')\nraise SystemExit('a trap')\n", "utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("first", [False, True], ids=["as genrun", "as python -m genrun"])
def test_modules_of_the_current_folder_are_not_imported(
    trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Site, first: bool
) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d=DECODER)
    if first:
        monkeypatch.syspath_prepend(str(trap))
    assert try_provider("CPUExecutionProvider").works
    assert "available" in {entry.state for entry in list_plugins() if entry.distribution == "acme"}
    assert not (trap / "sprung").exists()


def test_what_pythonpath_names_stays_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = str(Path(genrun.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/elsewhere", home, ""]))  # an empty entry is an accident
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "/elsewhere", home])
    assert child_environment()["PYTHONPATH"].split(os.pathsep) == ["/elsewhere", home]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), home]))
    assert child_environment()["PYTHONPATH"].split(os.pathsep) == [str(tmp_path), "/elsewhere", home]


def test_genrun_is_found_where_it_lies_in_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(Path(genrun.__file__).parents[1])
    monkeypatch.chdir(home)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(sys, "path", [home])
    assert child_environment()["PYTHONPATH"] == home


def test_the_command_keeps_to_the_safe_path() -> None:
    assert child_command("genrun.x", "a") == [sys.executable, "-P", "-m", "genrun.x", "a"]
