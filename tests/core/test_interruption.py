"""What a training makes of Ctrl-C and SIGTERM, in a program and in the command."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from genrun.cli.io.signals import SecondSignal
from genrun_core.training.saving.interruption import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM)

# A training as the command runs it, whose step lasts; another signal comes at once, as ``timeout`` sends it.
COMMAND = """
import os, signal, time
from genrun.cli.io import signals
from genrun_core.training.saving.interruption import Interruption

signals.handle()
signals.SecondSignal._SECONDS = {grace}
with Interruption() as interrupted:
    os.kill(os.getpid(), signal.{name})
    print(interrupted(), interrupted.number == signal.{name}, flush=True)
    os.kill(os.getpid(), signal.{name})
    print("going on", flush=True)
    while {step}:
        time.sleep(0.01)
        os.kill(os.getpid(), signal.{name})
raise SystemExit(7)
"""


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_second_signal_in_a_step_of_the_command_ends_it_at_once_with_its_status(number: signal.Signals) -> None:
    code = COMMAND.format(name=number.name, grace=0.05, step=True)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (128 + number, b"")
    assert done.stdout.split(b"\n")[0] == b"True True"


def test_two_signals_that_come_at_once_are_one() -> None:
    """``timeout`` sends two: the training saves all the same."""
    code = COMMAND.format(name="SIGTERM", grace=3600, step=False)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (7, b"True True\ngoing on\n")


def test_in_a_program_a_second_signal_acts_as_it_did_before() -> None:
    with Interruption() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_wakeup_file_is_given_back() -> None:
    with SecondSignal():
        pass
    assert signal.set_wakeup_fd(-1) == -1
