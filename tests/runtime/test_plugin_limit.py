"""GENRUN_PLUGINS: which installed plugins may be used; and many installed ones, of which none is imported unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genrun import registry
from genrun.diagnosing.plugin_listing import list_plugins
from genrun.errors import UnknownPluginError
from genrun.registry.in_process import reader
from genrun.registry.limit import PluginLimitWarning
from support.distributions import DECODER, Site

LOWEST = {"genrun.decoders": {"lowest": "acme_decoders:Lowest", "last": "acme_decoders:Lowest"}}
OTHER = {"genrun.decoders": {"other": "other_d:Lowest"}}


@pytest.fixture
def two(installed: Site) -> Site:
    installed.hide_others()
    installed.install("Acme_Decoders", LOWEST, acme_decoders=DECODER)
    installed.install("other-maker", OTHER, other_d=DECODER)
    return installed


def usable() -> set[str]:
    return {info.name for info in registry.plugins("decoder") if not info.built_in}


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("", set()),
        (" , ", set()),
        ("genrun", set()),
        ("acme-decoders", {"lowest", "last"}),
        ("Acme_Decoders", {"lowest", "last"}),
        ("last", {"last"}),
        ("acme-decoders:last", {"last"}),
        ("last,other-maker", {"last", "other"}),
        ("last  other", {"last", "other"}),
    ],
)
def test_only_what_is_named_is_there(two: Site, monkeypatch: pytest.MonkeyPatch, limit: str, names: set[str]) -> None:
    assert usable() == {"lowest", "last", "other"}
    monkeypatch.setenv("GENRUN_PLUGINS", limit)
    assert usable() == names
    assert type(registry.make_decoder("greedy")).__name__ == "Greedy"
    assert {each.name for each in list_plugins() if each.distribution != "genrun"} == names


def test_what_is_left_out_says_so_when_it_is_asked_for(two: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRUN_PLUGINS", "other")
    with pytest.raises(UnknownPluginError) as caught:
        registry.make_decoder("lowest")
    assert str(caught.value) == (
        "decoder 'lowest' of acme-decoders 1.0 is left out by GENRUN_PLUGINS, which must name 'acme-decoders' or "
        "'lowest'"
    )
    with pytest.raises(UnknownPluginError, match=r"^unknown decoder 'nothing'"):
        registry.make_decoder("nothing")


def test_a_name_that_nothing_has_is_said_once(two: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRUN_PLUGINS", "acme-decoder,last")
    with pytest.warns(PluginLimitWarning) as caught:
        usable()
    assert usable() == {"last"}  # without another warning, which would be an error
    assert [str(warning.message) for warning in caught] == [
        "GENRUN_PLUGINS names 'acme-decoder', which no installed package offers; did you mean 'acme-decoders'?"
    ]


def test_what_the_program_registers_itself_is_not_limited(two: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRUN_PLUGINS", "")
    made = reader("mine")(type(registry.make_reader("text")))
    assert type(registry.make_reader("mine")) is made


# Fifty distributions: one prints, one raises, one takes half a minute, and each leaves a mark if it is imported.
MANNERS = {3: "print('noise')", 4: "raise RuntimeError('no')", 5: "import time; time.sleep(30)"}


@pytest.fixture
def fifty(installed: Site, tmp_path: Path) -> Path:
    marks = tmp_path / "marks"
    marks.mkdir()
    for number in range(50):
        module = f"many_{number}"
        offered = {
            "genrun.readers": {f"reader-{number}": f"{module}:Reader"},
            "genrun.decoders": {f"decoder-{number}": f"{module}:Lowest"},
            "genrun.commands": {f"command-{number}": f"{module}:command"},
        }
        mark = f"import pathlib\npathlib.Path({str(marks)!r}, '{number}').touch()\n"
        installed.install(f"many-{number}", offered, **{module: mark + MANNERS.get(number, "") + "\n"})
    return marks


def genrun(*arguments: object, path: Path | None) -> str:
    paths = [str(path)] if path else []
    done = subprocess.run(
        [sys.executable, "-m", "genrun", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, sys.path)])},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_fifty_plugins_change_nothing_for_commands_that_do_not_use_them(
    fifty: Path, installed: Site, alphabet_file: Path
) -> None:
    without = [entry for entry in sys.path if entry != str(installed.folder)]
    asked = ("generate", alphabet_file, "a", "--decoder", "greedy", "-q")
    assert genrun(*asked, path=installed.folder) == "abcdef\n"
    help_lines = genrun("--help", path=installed.folder).splitlines()
    sys.path[:] = without  # the fixture restores it
    assert genrun(*asked, path=None) == "abcdef\n"
    own = [line for line in help_lines if "(from many-" not in line]
    assert " ".join(own).split() == genrun("--help", path=None).split()  # the columns are wider
    assert len(help_lines) - len(own) == 50
    assert list(fifty.iterdir()) == []
