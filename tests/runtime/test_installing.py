"""``genrun install`` and ``uninstall``: the pip of the running interpreter, and what came and went."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genrun.cli.install import install_command, uninstall_command
from genrun.cli.plugin_packages import installing
from genrun.errors import GenrunError, OptionError
from support.distributions import DECODER, Site

LOWEST = {"genrun.decoders": {"lowest": "acme_decoders:Lowest"}}
WITH_PIP = [sys.executable or "", "-P", "-m", "pip"]


class Pip:
    """Stands for pip: notes how it was called, and installs or removes ``acme``."""

    def __init__(self, site: Site, status: int = 0) -> None:
        self.site, self.status, self.calls = site, status, list[list[str]]()

    def __call__(self, command: Sequence[str]) -> int:
        self.calls.append(list(command))
        if "install" in command and not self.status:
            self.site.install("acme", LOWEST, acme_decoders=DECODER)
        elif "uninstall" in command:
            shutil.rmtree(self.site.folder / "acme-1.0.dist-info")
        return self.status


@pytest.fixture(autouse=True)
def there_is_a_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "pip" else found(name))


def test_pip_gets_names_and_options_and_what_is_new_is_returned(installed: Site) -> None:
    installed.install("before", {"genrun.decoders": {"first": "acme_decoders:Lowest"}})
    pip = Pip(installed)
    [added] = installing.install(["acme", "--upgrade"], pip)
    assert pip.calls == [[*WITH_PIP, "install", "--disable-pip-version-check", "acme", "--upgrade"]]
    assert (added.kind, added.name, added.distribution, added.state) == ("decoder", "lowest", "acme", "available")


def test_what_is_installed_already_adds_nothing(installed: Site) -> None:
    assert installing.install(["acme"], lambda command: 0) == []


def test_a_pip_that_fails_is_one_line(installed: Site) -> None:
    with pytest.raises(GenrunError, match=r"^pip install failed \(exit status 3\)$"):
        installing.install(["acme"], Pip(installed, status=3))


def test_uninstall_removes_packages_with_plugins(installed: Site) -> None:
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    pip = Pip(installed)
    assert installing.uninstall(["Acme"], pip) == ["acme:lowest"]
    assert pip.calls == [[*WITH_PIP, "uninstall", "--disable-pip-version-check", "--yes", "Acme"]]


@pytest.mark.parametrize("name", ["genrun", "numpy", "--all"])
def test_uninstall_touches_nothing_else(installed: Site, name: str) -> None:
    installed.hide_others()
    installed.install("acme", LOWEST, acme_decoders=DECODER)
    pip = Pip(installed)
    with pytest.raises(OptionError) as caught:
        installing.uninstall(["acme", name], pip)
    assert str(caught.value) == f"{name!r} is not an installed package with plugins; accepted: acme"
    assert pip.calls == []


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        ("pipx_metadata.json", "{}", "pipx inject genrun acme 'other>1'"),
        ("uv-receipt.toml", "", "uv tool install --with acme --with 'other>1' genrun"),
        ("pyvenv.cfg", "home = /usr\nuv = 0.9\n", f"uv pip install --python {sys.executable} acme 'other>1'"),
        ("pyvenv.cfg", "home = /usr\n", f"{sys.executable} -m ensurepip && genrun install acme 'other>1'"),
    ],
)
def test_without_pip_a_line_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, line: str
) -> None:
    folder = tmp_path / "genrun"
    folder.mkdir()
    (folder / file).write_text(content, "utf-8")
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GenrunError) as caught:
        installing.install(["acme", "other>1"], lambda command: pytest.fail("pip was run"))
    assert str(caught.value) == f"there is no pip in {folder}; type: {line}"


def test_the_commands_print_what_came_and_what_went(installed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Pip(installed)
    monkeypatch.setattr(installing, "_run", pip)
    options = ["-U", "--editable", "./acme", "--find-links", "wheels"]
    result = CliRunner().invoke(install_command, options)
    assert result.exit_code == 0
    assert result.stdout.split()[:3] == ["decoder", "lowest", "acme"]
    assert pip.calls[0][-5:] == options
    result = CliRunner().invoke(uninstall_command, ["acme"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "removed acme:lowest\n")


def test_a_package_without_plugins_is_said(installed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(command: Any) -> int:
        return 0

    monkeypatch.setattr(installing, "_run", nothing)
    result = CliRunner().invoke(install_command, ["numpy"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no plugin was added; genrun plugins lists those that are installed\n"
