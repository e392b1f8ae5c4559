"""Plugins that misbehave when they are looked at: each is listed with its fault, and everything ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from genrun import registry
from genrun.cli import doctor as doctor_command
from genrun.cli import plugins as plugins_command
from genrun.diagnosing import plugin_trial, plugin_watch
from genrun.diagnosing.plugin_listing import list_plugins
from support.distributions import DECODER, Site

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks are those of POSIX")

HEAD = "import dataclasses, os, sys, threading, time\n"
READER = DECODER.replace("def choose(self, logits, tokens, draws):", "def read(self, sources, report):")
COMMAND = "import click\n\nLowest = click.Command('lowest')\n"
FUTURE = "from __future__ import annotations\n"
OPTION = DECODER.replace("offset: int = 0", "offset: {}")


CLASS = """
class Meta(type):
    def {}:
        {}

class Lowest(metaclass=Meta):
    def choose(self, logits, tokens, draws): ...
"""
ENDS = "ended the process at import (exit status {})".format
IMPORT = "failed to import: {}".format
# What stands before a decoder that is well, and how the plugin is listed: None for available.
AT_IMPORT: dict[str, tuple[str, str | None]] = {
    "raises": ("raise RuntimeError('no luck')", IMPORT("RuntimeError: no luck")),
    "raises without a text": ("raise RuntimeError", IMPORT("RuntimeError")),
    "raises a base exception": ("raise BaseException('base')", IMPORT("BaseException: base")),
    "exits": ("sys.exit(3)", IMPORT("SystemExit: 3")),
    "exits with a text": ("sys.exit('bye')", IMPORT("SystemExit: bye")),
    "interrupts": ("raise KeyboardInterrupt", IMPORT("KeyboardInterrupt")),
    "closes like a generator": ("raise GeneratorExit", IMPORT("GeneratorExit")),
    "raises a group": ("raise ExceptionGroup('g', [ValueError('v')])", IMPORT("ExceptionGroup: g (1 sub-exception)")),
    "raises many lines": ("raise ValueError('one\\n\\n two\\r\\nthree')", IMPORT("ValueError: one two three")),
    "raises a megabyte": ("raise ValueError('x' * 10**6)", "xxx … xxx"),
    "raises escapes": ("raise ValueError('\\x1b[31mred\\x1b]0;title\\x07\\x1b[0m\\x00')", "ValueError: red�"),
    "raises half a character": ("raise ValueError('\\ud800')", "ValueError: �"),
    "raises what has no text": (
        "class Mute(Exception):\n    def __str__(self): raise SystemExit('no')\nraise Mute",
        IMPORT("Mute"),
    ),
    "raises what has no text at all": (
        "class Mute(Exception):\n    def __str__(self): return 3\nraise Mute",
        IMPORT("Mute"),
    ),
    "has no right syntax": ("def :", IMPORT("SyntaxError: invalid syntax")),
    "is no text": ("\x00", IMPORT("")),
    "recurses": ("def f(): f()\nf()", IMPORT("RecursionError: maximum recursion depth")),
    "lacks a module": ("import nowhere_to_be_found", IMPORT("ModuleNotFoundError: No module named 'nowhere_to")),
    "deletes itself": ("del sys.modules[__name__]", IMPORT("KeyError")),
    "ends the process": ("os._exit(0)", ENDS(0)),
    "ends the process with a status": ("os._exit(7)", ENDS(7)),
    "segfaults": ("import ctypes\nctypes.string_at(0)", "crashed at import (SIGSEGV)"),
    "aborts": ("os.abort()", "crashed at import (SIGABRT)"),
    "kills itself": ("os.kill(os.getpid(), 9)", "ended the process at import (killed"),
    "terminates itself": ("os.kill(os.getpid(), 15)", "crashed at import (SIGTERM)"),
    "is alarmed": ("import signal\nsignal.alarm(1)\ntime.sleep(60)", "crashed at import (SIGALRM)"),
    "sleeps": ("time.sleep(600)", "did not finish importing within 3 seconds"),
    "spins": ("while True: pass", "did not finish importing within 3 seconds"),
    "waits for input": ("sys.stdin.buffer.raw.read(1)", None),
    "asks": ("input()", IMPORT("EOFError: EOF when reading a line")),
    "allocates for ever": ("kept = []\nwhile True: kept.append(bytes(2**28))", IMPORT("MemoryError")),
    "closes everything": ("os.closerange(3, 256)", "ended the process at import"),
    "closes stdout": ("sys.stdout.close()", None),
    "closes the file of stdout": ("os.close(1); os.close(2)", None),
    "has no stdout": ("sys.stdout = sys.stderr = sys.stdin = None", None),
    "prints": ("print('printed'); print('printed', file=sys.stderr); os.write(1, b'printed')", None),
    "prints from a process": ("import subprocess\nsubprocess.run(['echo', 'printed'])", None),
    "starts a thread": ("threading.Thread(target=time.sleep, args=(600,)).start()", None),
    "starts a process": ("import subprocess\nsubprocess.Popen(['sleep', '600'])", None),
    "forks": ("os.fork()", None),
    "forks and waits": ("if not os.fork(): time.sleep(600)", None),
    "leaves an exit handler": ("import atexit\natexit.register(time.sleep, 600)", None),
    "leaves the folder": ("os.chdir('/')", None),
    "empties the path": ("sys.path.clear()", None),
    "empties the modules": ("import json\nsys.modules.pop('json')", None),
    "ignores signals": ("import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)", None),
    "ignores signals and sleeps": (
        "import signal\nsignal.signal(15, signal.SIG_IGN)\nwhile True: time.sleep(9)",
        "did not finish importing within 3 seconds",
    ),
    "dies in a thread": ("threading.Thread(target=os._exit, args=(5,)).start(); time.sleep(60)", ENDS(5)),
}

OPTIONS, USED = "has options that cannot be used", "cannot be used"
# The whole module.
SHAPES: dict[str, tuple[str, str | None]] = {
    "is empty": ("", IMPORT("AttributeError: module ")),
    "has a module that exits": ("def __getattr__(name): sys.exit(name)", IMPORT("SystemExit: ")),
    "is a number": ("Lowest = 3", "must be a class with a method 'choose', 'apply'"),
    "is a function": ("def Lowest(): ...", "must be a class with a method 'choose', 'apply'"),
    "is not a dataclass": (CLASS.format("__repr__(cls)", "return ''"), "must be a dataclass"),
    "has a metaclass that exits": (
        CLASS.format("__getattribute__(cls, name)", "sys.exit(name)"),
        f"{USED}: SystemExit: ",
    ),
    "has a metaclass that ends the process": (CLASS.format("__getattribute__(cls, name)", "os._exit(9)"), ENDS(9)),
    "has a metaclass that sleeps": (
        CLASS.format("__getattribute__(cls, name)", "time.sleep(600)"),
        "did not finish importing within 3 seconds",
    ),
    "cannot be a subclass": (CLASS.format("__init__(cls, *_)", "raise TypeError('no class')"), "TypeError: no class"),
    "has an option of a strange type": (OPTION.format("complex = 0"), f"{OPTIONS}: offset has the type "),
    "has an option of an unknown type": (OPTION.format("Nonsense = 0"), f"{USED}: NameError: "),
    "has an option that exits": (OPTION.format("sys.exit(4) = 0"), f"{USED}: SystemExit: 4"),
    "has a default that raises": (
        OPTION.format("int = dataclasses.field(default_factory=lambda: 1 / 0)"),
        f"{USED}: ZeroDivisionError: ",
    ),
    "has a default that ends the process": (
        OPTION.format("int = dataclasses.field(default_factory=lambda: os._exit(6))"),
        ENDS(6),
    ),
    "has a default that is nothing": (OPTION.format("float = float('nan')"), None),
    "has a default without end": (OPTION.format("int = 10**5000"), None),
    "has a default of half a character": (OPTION.format("str = '\\ud800'"), None),
    "has a default of many parts": (OPTION.format("tuple[str, ...] = ('a', '\\ud800')"), None),
    "has a default that has no text": (
        OPTION.format("int = dataclasses.field(default_factory=lambda: Mute())")
        + "class Mute:\n    def __repr__(self): raise SystemExit('mute')\n",
        None,
    ),
}
WRITTEN = "an entry point is written module:attribute"
NAMED = "a name has 1 to 100 printable characters, and no colon"
# Lines of entry_points.txt, and how the name is listed.
ENTRIES = {
    "without-a-class = well": ("without-a-class", WRITTEN),
    "with-two-colons = well:Lowest:x": ("with-two-colons", WRITTEN),
    "with-blanks = not a module": ("with-blanks", WRITTEN),
    "with-nothing =": ("with-nothing", WRITTEN),
    "with-brackets = [well]": ("with-brackets", WRITTEN),
    "with-escapes = well:\x1b[31mLowest": ("with-escapes", WRITTEN),
    "deep = well:Lowest.nowhere.there": ("deep", "AttributeError"),
    "elsewhere = nowhere_to_be_found:Lowest": ("elsewhere", "ModuleNotFoundError"),
    "relative = .well:Lowest": ("relative", "failed to import"),
    "re\x1b[31md = well:Lowest": ("red", NAMED),
    "be\x07ll = well:Lowest": ("be�ll", NAMED),
    "a:b = well:Lowest": ("a:b", NAMED),
    "= well:Lowest": ("", NAMED),
    f"{'long' * 30} = well:Lowest": ("longlong", NAMED),
    "well = well:Lowest": ("well", None),
}


@dataclass(frozen=True)
class Case:
    name: str
    module: str
    kind: str
    fault: str | None  # None: it is available

    @property
    def distribution(self) -> str:
        return f"{self.kind}-that-{self.name.replace(' ', '-').replace(chr(39), '')}"


# At import, it is the same whether a decoder is imported, a reader or a command.
ALSO_OTHERS = ("raises", "exits", "ends the process", "segfaults", "closes stdout", "prints", "forks", "interrupts")


def cases() -> Iterator[Case]:
    for name, (source, fault) in AT_IMPORT.items():
        yield Case(name, f"{HEAD}{source}\n{DECODER.replace(FUTURE, '')}", "decoder", fault)
    for name in ALSO_OTHERS:
        source, fault = AT_IMPORT[name]
        yield Case(name, f"{HEAD}{source}\n{READER.replace(FUTURE, '')}", "reader", fault)
        yield Case(name, f"{HEAD}{source}\n{COMMAND}", "command", fault)
    for name, (source, fault) in SHAPES.items():
        module = source.replace(FUTURE, f"{FUTURE}\n{HEAD}") if FUTURE in source else HEAD + source
        yield Case(name, module, "decoder", fault)


def install(installed: Site, case: Case) -> None:
    module = case.distribution.replace("-", "_")
    points = {registry.GROUPS[case.kind]: {case.distribution: f"{module}:Lowest"}}
    installed.install(case.distribution, points)
    (installed.folder / f"{module}.py").write_text(case.module, "utf-8", "surrogatepass")


def run(command: click.Command) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(command, ["--json"])
    assert "printed" not in result.output
    return result.exit_code, [json.loads(line) for line in result.output.splitlines()]


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_trial, "LIMIT_SECONDS", 3.0)


def test_every_bad_plugin_is_listed_with_its_fault_and_the_list_ends(installed: Site) -> None:
    wanted = {case.distribution: case for case in cases()}
    for case in wanted.values():
        install(installed, case)
    installed.install("entries")
    lines = ["[genrun.decoders]", *ENTRIES]
    (installed.folder / "entries-1.0.dist-info" / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    (installed.folder / "well.py").write_text(DECODER, "utf-8")
    registry.refresh()
    assert len(wanted) + len(ENTRIES) >= 98

    status, listing = run(plugins_command.command)
    assert status == 0
    found = {entry["distribution"]: entry for entry in listing if entry["distribution"] in wanted}
    assert found.keys() == wanted.keys()
    for distribution, case in wanted.items():
        check(found[distribution], case.fault)
    faults = dict(ENTRIES.values())
    named = [entry for entry in listing if entry["distribution"] == "entries"]
    assert sorted(entry["name"][:8] for entry in named) == sorted(name[:8] for name in faults)
    for entry in named:
        check(entry, next(fault for name, fault in faults.items() if entry["name"][:8] == name[:8]))
    assert {entry["state"] for entry in listing if entry["distribution"] == "genrun"} == {"available"}


def check(entry: dict[str, Any], fault: str | None) -> None:
    name = f"{entry['kind']} {entry['name']} of {entry['distribution']}"
    assert (entry["state"], entry["reason"] is None) == (
        ("available", True) if fault is None else ("broken", False)
    ), f"{name}: {entry}"
    if fault is not None:
        assert fault in entry["reason"], name
        assert entry["reason"].startswith(f"{entry['kind']} {entry['name']!r} of {entry['distribution']} 1.0"), name
        assert len(entry["reason"]) < 700, name
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in entry["reason"]), name


def test_the_doctor_finds_every_bad_plugin_and_ends(installed: Site) -> None:
    wanted = [case for case in cases() if case.kind == "command"]
    for case in wanted:
        install(installed, case)
    status, findings = run(doctor_command.command)
    problems = [finding["message"] for finding in findings if finding["level"] == "problem"]
    assert status == 1
    for case in wanted:
        found = [message for message in problems if case.distribution in message]
        assert [(case.fault or "") in message for message in found] == [True] * (case.fault is not None), case.name


def test_where_an_error_was_raised_is_told(installed: Site) -> None:
    installed.install(
        "acme",
        {"genrun.decoders": {"one": "acme.deep:Lowest", "two": "typo:Lowest", "three": "odd:Lowest"}},
        typo="import os\ndef :",
        odd=CLASS.format("__getattribute__(cls, name)", "import os; os._exit(9)"),
    )
    package = installed.folder / "acme"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "deep.py").write_text("import json\n\njson.loads('x')\n", "utf-8")
    places = {entry.name: (entry.raised_at, entry.file) for entry in list_plugins() if entry.distribution == "acme"}
    assert places == {
        "one": (f"{package / 'deep.py'}:3", str(package / "__init__.py")),
        "two": (f"{installed.folder / 'typo.py'}:2", str(installed.folder / "typo.py")),
        "three": (None, str(installed.folder / "odd.py")),
    }


def test_plugins_of_one_distribution_do_not_take_each_other_along(installed: Site) -> None:
    points = {"a": "ends_a:Lowest", "b": "well:Lowest", "c": "ends_c:Lowest", "d": "well:Lowest"}
    ends = "import os\nos._exit(2)"
    installed.install("acme", {"genrun.decoders": points}, well=DECODER, ends_a=ends, ends_c=ends)
    states = {entry.name: entry.state for entry in list_plugins() if entry.distribution == "acme"}
    assert states == {"a": "broken", "b": "available", "c": "broken", "d": "available"}


def test_a_distribution_whose_plugins_all_end_the_process_is_given_up(installed: Site) -> None:
    points = {f"p{number}": f"ends_{number}:Lowest" for number in range(9)}
    ends = {f"ends_{number}": "import os\nos._exit(2)" for number in range(9)}
    installed.install("acme", {"genrun.decoders": points}, **ends)
    reasons = [entry.reason or "" for entry in list_plugins() if entry.distribution == "acme"]
    assert len(reasons) == 9
    assert all("ended the process at import (exit status 2)" in reason for reason in reasons[:5])
    assert all("was not tried: 5 others of its distribution" in reason for reason in reasons[5:])


@pytest.mark.parametrize(
    ("share", "seconds"),
    [
        pytest.param(0.0, 11, id="sleeps"),
        pytest.param(0.01, 11, id="hardly computes"),
        pytest.param(1.0, 11, id="computes"),
        pytest.param(0.5, 21, id="has half a processor"),
        pytest.param(0.1, 66, id="has little of a processor, for ever"),
    ],
)
def test_the_limit_is_one_of_computing_where_the_machine_is_busy(
    monkeypatch: pytest.MonkeyPatch, share: float, seconds: int
) -> None:
    clock = 0.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    monkeypatch.setattr(plugin_watch, "_cpu_seconds", lambda process: share * clock)
    watched = plugin_watch.Patience(None, 10)
    while not watched.is_over():
        clock += 1
    assert clock == pytest.approx(seconds, abs=1)


def gone(process: int) -> bool:
    """Return whether ``process`` has ended within half a minute, whoever was to take note of it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("leaves", ["Popen(['sleep', '600']).pid", "os.fork() or time.sleep(600)"])
def test_what_a_plugin_has_started_does_not_outlive_the_list(installed: Site, leaves: str) -> None:
    note = installed.folder / "process"
    source = f"{HEAD}from subprocess import Popen\nprocess = {leaves}\nopen({str(note)!r}, 'w').write(str(process))\n"
    install(installed, Case("leaves", source + DECODER.replace(FUTURE, ""), "decoder", None))
    [entry] = [entry for entry in list_plugins() if entry.distribution == "decoder-that-leaves"]
    assert entry.state == "available"
    assert gone(int(note.read_text("ascii")))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_an_interrupted_list_leaves_no_process_behind(installed: Site) -> None:
    note = installed.folder / "process"
    os.mkfifo(note)  # reading waits until the plugin is imported
    source = f"{HEAD}open({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    install(installed, Case("sleeps", source, "decoder", None))
    path = os.pathsep.join([str(installed.folder), *filter(None, sys.path)])
    command = [sys.executable, "-m", "genrun", "plugins"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE) as process:
        sleeping = int(note.read_text("ascii"))
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr.lstrip()) == (130, b"interrupted\n")
    assert gone(sleeping)


def test_without_a_python_to_start_plugins_are_listed_all_the_same(
    installed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "well:Lowest"}}, well=DECODER)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    [entry] = [entry for entry in list_plugins() if entry.distribution == "acme"]
    assert entry.reason is not None
    assert entry.reason.startswith("decoder 'lowest' of acme 1.0 could not be tried: Python could not be started: ")
