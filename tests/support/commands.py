"""The command genrun in processes of their own that need not import TensorFlow again, which takes seconds.

A server imports TensorFlow once, without starting it; each command is a fork of the server. New interpreters run the
commands of the README, as a reader's do.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest import mock

__all__ = ["finish", "run", "start"]

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["keras", "tensorflow", "genrun.cli"])
_COMMAND = "import runpy; runpy.run_module('genrun', run_name='__main__')"
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONUTF8": "1"}  # of the server


def start(
    log: Path,
    *arguments: object,
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limit_file_size: int = 0,
    code: str = _COMMAND,
) -> BaseProcess:
    """Start ``genrun`` with ``arguments``; standard error goes to the file ``log``, standard output to ``output``.

    ``limit_file_size``: in bytes; writing a larger file fails, as on a full disk. ``code``: what to run instead.
    """
    process = _SERVER.Process(
        target=_run,
        args=([str(argument) for argument in arguments], log, output or os.devnull),
        kwargs={
            "environment": {**os.environ, **(environment or {})},
            "limit_file_size": limit_file_size,
            "code": code,
        },
    )
    with mock.patch.dict(os.environ, _ENVIRONMENT):  # the first call starts the server
        process.start()
    return process


def finish(process: BaseProcess) -> int:
    """Wait for the end of ``process`` and return its exit status; of a killed one, the signal's number below 0."""
    process.join(timeout=250)
    status = process.exitcode
    if status is None:
        process.kill()
        raise TimeoutError(f"{process.name} did not end")
    return status


def run(*arguments: object, limit_file_size: int = 0, code: str = _COMMAND) -> subprocess.CompletedProcess[str]:
    """Run ``genrun`` with ``arguments`` to its end and return its status, stdout and stderr."""
    with tempfile.TemporaryDirectory() as folder:
        errors, output = Path(folder, "errors"), Path(folder, "output")
        status = finish(start(errors, *arguments, output=output, limit_file_size=limit_file_size, code=code))
        said = [path.read_text("utf-8") for path in (output, errors)]
    return subprocess.CompletedProcess([str(argument) for argument in arguments], status, *said)


def _run(
    arguments: list[str],
    errors: str | Path,
    output: str | Path,
    *,
    environment: dict[str, str],
    limit_file_size: int,
    code: str,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(descriptor, number)
        os.close(descriptor)
    if limit_file_size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))
    sys.argv = ["genrun", *arguments]
    exec(code, {"__name__": "__main__"})
