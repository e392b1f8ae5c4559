"""A call of the library changes nothing that belongs to the whole process."""

from __future__ import annotations

import asyncio
import gc
import io
import locale
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from click.testing import CliRunner

import genrun
from genrun.cli.group import cli
from genrun.errors import ModelFileError
from genrun.model import Model
from support.alphabet import write_model
from support.fake_onnxruntime import CPU, fake_onnxruntime

OTHER = next((name for name in onnxruntime.get_available_providers() if name != CPU), CPU)


class Recording(io.StringIO):
    """A stream that keeps every line of every thread."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)


def test_loading_in_three_threads_loses_nothing_that_a_fourth_prints(
    alphabet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, written = Recording(), 0
    monkeypatch.setattr(sys, "stdout", stream)

    def load() -> None:
        for _ in range(20):
            genrun.load(alphabet_file, device=[OTHER, CPU])

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sys.stdout.write("line")
        written += 1
    assert sys.stdout is stream
    assert stream.lines == ["line"] * written


def state() -> dict[str, Any]:
    """Return what belongs to the process and must not change: the streams themselves, not only what they hold."""
    root = logging.getLogger()
    return {
        "streams": [id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "logging": (root.level, list(root.handlers), logging.root.manager.disable),
        "signals": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "collection": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "folder": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval()),
        "hooks": (sys.excepthook, threading.excepthook, sys.displayhook),
    }


CALLS: list[Callable[[Model], object]] = [
    lambda model: genrun.load(model.path, device=[OTHER, CPU]),
    lambda model: model.generate("i love", seed=1),
    lambda model: model.generate_many(["i", "love"] * 40, seed=1),
    lambda model: list(model.stream("i", seed=1)),
    lambda model: asyncio.run(model.agenerate("i", seed=1)),
    lambda model: list(model.score_each(["i love you"])),
    lambda model: model.suggest("i lo"),
    genrun.verify,
]


def test_no_call_changes_what_belongs_to_the_process(babble: Model) -> None:
    seen: list[str] = []
    for call in CALLS:
        before = state()
        sys.setprofile(lambda frame, event, argument: seen.append(frame.f_code.co_qualname))
        try:
            call(babble)
        finally:
            sys.setprofile(None)
        assert state() == before
    assert seen  # nor meanwhile, where a profile of the calls can see it
    assert not [name for name in seen if name.startswith(("_RedirectStream", "catch_warnings.__enter__"))]


def test_a_file_that_cannot_be_opened_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = write_model(tmp_path / "m.onnx").read_bytes()
    path = tmp_path / "damaged.onnx"
    path.write_bytes(whole.replace(b"table", b"t\xe1ble", 1))  # even onnxruntime's message of it is no text
    for device in ("cpu", [OTHER, CPU]):
        with pytest.raises(ModelFileError):
            genrun.load(path, device=device)
    assert capfd.readouterr() == ("", "")


def test_the_level_of_onnxruntimes_logger_is_the_programs(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch, fails="no driver")
    set_levels: list[int] = []
    monkeypatch.setattr(sys.modules["onnxruntime"], "set_default_logger_severity", set_levels.append, raising=False)
    with pytest.raises(genrun.DeviceError, match="no driver"):
        genrun.load(alphabet_file, device="cuda")
    assert set_levels == []
    ran = CliRunner().invoke(cli, ["score", str(alphabet_file), "a", "--device", "cuda"])
    assert (ran.exit_code, set_levels) == (1, [4])  # the command's process is its own: only what is fatal is logged
