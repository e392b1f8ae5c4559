"""``genrun plugins new``: each kind of project passes its own tests at once; names and folders are checked."""

from __future__ import annotations

import keyword
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from genrun.cli.plugin_packages.new_project import KINDS, _class_name, write_project
from genrun.cli.plugins.beginning import command as new_command
from genrun.contracts.version import CONTRACT, OLDEST
from genrun.errors import GenrunError, OptionError
from support.distributions import DECODER, Site

HOST = "pypi" + ".org"  # a package is published without naming where


def put_on_path(project: Path) -> None:
    """Write the metadata that an installer makes of a project, so that its folder can be put on the path."""
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    folder = project / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    folder.mkdir()
    head = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    (folder / "METADATA").write_text(head, "utf-8")
    lines = [
        line
        for group, entries in about["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")


def test_what_is_written_passes_its_own_tests(tmp_path: Path) -> None:
    """For each kind, and for two with the oldest contract; tests/integrations/plugins has all of them."""
    chosen = [*((kind, CONTRACT) for kind in KINDS), ("reader", OLDEST), ("chooser", OLDEST)]
    projects = [
        write_project(f"{kind}-of-{contract}", kind, tmp_path / f"{kind}-{number}", contract=contract)
        for number, (kind, contract) in enumerate(chosen)
    ]
    for project in projects:
        put_on_path(project)
    paths = os.pathsep.join([*map(str, projects), *filter(None, sys.path)])
    for command in (
        ["pytest", "-q", "--doctest-modules", "--import-mode=importlib", "-W", "error", "-p", "no:cacheprovider"],
        ["ruff", "check", "--no-cache", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_has_all_that_a_published_package_needs(tmp_path: Path, kind: str) -> None:
    project = write_project("second-best", kind, tmp_path / "here")
    files = {
        path.relative_to(project).as_posix(): path.read_text("utf-8") for path in project.rglob("*") if path.is_file()
    }
    assert set(files) == {
        ".github/workflows/publish.yml",
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "genrun_plugin_second_best/__init__.py",
        f"genrun_plugin_second_best/{kind}.py",
        "genrun_plugin_second_best/py.typed",
        "pyproject.toml",
        f"tests/test_{kind}.py",
    }
    assert "id-token: write" in files[".github/workflows/publish.yml"]
    assert "${{ matrix.python }}" in files[".github/workflows/test.yml"]
    assert not any(HOST in text for text in files.values())
    assert not any("$package" in text or "$name" in text for text in files.values())


def test_the_command_says_where_it_is_and_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(new_command, ["rhyming", "--kind", "stage"])
    assert (result.exit_code, result.stdout) == (0, "genrun-plugin-rhyming\n")
    assert result.stderr == ("next: cd genrun-plugin-rhyming && genrun install --editable '.[test]' && pytest\n")
    assert [path.name for path in tmp_path.iterdir()] == ["genrun-plugin-rhyming"]
    assert CliRunner().invoke(new_command, ["rhyming"]).exit_code == 2


def test_what_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "file", "link"):
        with pytest.raises(GenrunError, match=rf"{name} exists already; remove it, or name another folder with -o$"):
            write_project("mine", "reader", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            write_project("mine", "reader", tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Mine", "my_own", "-a", "a-", "a--b", "1a", "a.b", "a/b", "ä", "a" * 41, "a\n"])
def test_a_name_is_what_users_can_type(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"cannot be the name of a plugin: lower-case letters and digits"):
        write_project(name, "reader", tmp_path / "here")


def test_a_name_that_is_taken_is_refused(tmp_path: Path, installed: Site) -> None:
    for kind, name in (("stage", "top-k"), ("reader", "text"), ("command", "train"), ("constraint", "words")):
        with pytest.raises(OptionError, match=rf"^genrun \S+ has a \S+ '{name}' already; choose another name$"):
            write_project(name, kind, tmp_path / "here")
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_decoders:Lowest"}}, acme_decoders=DECODER)
    with pytest.raises(OptionError, match=r"^acme 1\.0 has a decoder 'lowest' already; choose another name$"):
        write_project("lowest", "chooser", tmp_path / "here")
    with pytest.raises(
        OptionError, match=r"^the name of a plugin is what users type: 'mine', not 'genrun-plugin-mine'$"
    ):
        write_project("genrun-plugin-mine", "reader", tmp_path / "here")
    assert write_project("text", "stage", tmp_path / "here").is_dir()  # the name of another kind


@given(st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,2}", fullmatch=True), st.sampled_from(sorted(KINDS)))
def test_every_name_makes_a_class(name: str, kind: str) -> None:
    made = _class_name(name, kind)
    assert made.isidentifier()
    assert not keyword.iskeyword(made)
