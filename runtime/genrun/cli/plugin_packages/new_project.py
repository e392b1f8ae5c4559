"""Writes the project of a new plugin: a folder that works at once, is tested, and can be published."""

from __future__ import annotations

import keyword
import os
import re
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import genrun
from genrun import registry
from genrun.contracts.version import CONTRACT, OLDEST
from genrun.errors import GenrunError, OptionError

__all__ = ["KINDS", "write_project"]

KINDS = {  # what a project may begin with, and the kind of plugin that it is
    "reader": "reader",
    "stage": "decoder",
    "chooser": "decoder",
    "constraint": "constraint",
    "command": "command",
}
_USAGE = {
    "reader": "genrun train texts.txt --reader {name} -o run",
    "stage": 'genrun generate model.onnx --decoder "{name},top-k:20"',
    "chooser": 'genrun generate model.onnx --decoder "top-k:20,{name}"',
    "constraint": 'genrun generate model.onnx --constraint "{name}"',
    "command": "genrun {name} model.onnx",
}
_FILES = {  # of the project, and the templates that they are made from
    "pyproject.toml": "pyproject",
    "README.md": "readme",
    "LICENSE": "license",
    ".gitignore": "gitignore",
    ".github/workflows/test.yml": "test_workflow",
    ".github/workflows/publish.yml": "publish_workflow",
    "$package/__init__.py": "package",
    "$package/$kind.py": "$kind",
    "tests/test_$kind.py": "${kind}_test",
}
_PREFIX = "genrun-plugin-"
_MOST_CHARACTERS = 40
_TAKEN = {"Any", "Automaton", "Candidates", "ClassVar", "Iterator", "Lexicon", "NDArray", "Path", "Sequence"}


def write_project(name: str, kind: str, folder: Path | None = None, *, contract: int = CONTRACT) -> Path:
    """Write the project of a plugin called ``name``, and return its folder.

    ``kind``: reader, stage, chooser, constraint or command. ``folder``: must not exist; None: ``genrun-plugin-NAME``
    in the current folder. ``contract``: the version of the contract that it names. The folder is there as a whole or
    not at all. Raises OptionError for a name that cannot be used, GenrunError for a folder that exists.
    """
    if kind not in KINDS:
        raise OptionError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not OLDEST <= contract <= CONTRACT:
        raise OptionError(f"contract must be from {OLDEST} to {CONTRACT}, not {contract}")
    _check_name(name, kind)
    target = Path(_PREFIX + name) if folder is None else folder
    if os.path.lexists(target):
        raise GenrunError(f"{target} exists already; remove it, or name another folder with -o")
    beside = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        _write(beside, _values(name, kind, contract))
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _write(folder: Path, values: Mapping[str, str]) -> None:
    templates = resources.files("genrun.cli.plugin_packages").joinpath("templates")
    for path, template in _FILES.items():
        text = templates.joinpath(f"{Template(template).substitute(values)}.template").read_text("utf-8")
        file = folder / Template(path).substitute(values)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(values), "utf-8", newline="\n")
    (folder / values["package"] / "py.typed").touch()


def _values(name: str, kind: str, contract: int) -> dict[str, str]:
    """Return what stands for the words with a dollar sign in the templates."""
    release = ".".join(genrun.__version__.split(".")[:2])
    return {
        "name": name,
        "kind": kind,
        "what": "command" if kind == "command" else "class",
        "target": "command" if kind == "command" else _class_name(name, kind),
        "distribution": _PREFIX + name,
        "package": (_PREFIX + name).replace("-", "_"),
        "group": registry.GROUPS[KINDS[kind]],
        "contract": str(contract),
        "dependency": f"genrun>={release}",
        "usage": _USAGE[kind].format(name=name),
    }


def _class_name(name: str, kind: str) -> str:
    """Return the name of the class of a plugin.

    >>> _class_name("second-best", "stage"), _class_name("none", "stage"), _class_name("candidates", "stage")
    ('SecondBest', 'NoneStage', 'CandidatesStage')
    """
    title = "".join(part.capitalize() for part in name.split("-"))
    return f"{title}{kind.capitalize()}" if keyword.iskeyword(title) or title in _TAKEN else title


def _check_name(name: str, kind: str) -> None:
    if name.startswith(_PREFIX):
        raise OptionError(f"the name of a plugin is what users type: {name.removeprefix(_PREFIX)!r}, not {name!r}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > _MOST_CHARACTERS:
        rule = f"lower-case letters and digits, words joined with hyphens, at most {_MOST_CHARACTERS} characters"
        raise OptionError(f"{name!r} cannot be the name of a plugin: {rule}")
    for info in registry.plugins(KINDS[kind]):
        if info.name == name and info.distribution != _PREFIX + name and not info.in_process:
            raise OptionError(f"{info.owner} has a {info.kind} {name!r} already; choose another name")
