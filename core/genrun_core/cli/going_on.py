"""What to type next: after a command that is done, and after a training that was stopped."""

from __future__ import annotations

import contextlib
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import click

from genrun.cli.io.output import say

__all__ = ["going_on", "say_next"]


def say_next(*words: object) -> None:
    """Print on stderr the command to type next, quoted for a shell."""
    say(f"next: {shlex.join(map(str, words))}")


@contextlib.contextmanager
def going_on(run: Path, *words: object) -> Iterator[None]:
    """Print how the training of ``run`` goes on if it is interrupted: with the command ``words``."""
    from genrun.errors import TrainingInterrupted

    try:
        yield
    except (KeyboardInterrupt, TrainingInterrupted) as error:
        command = shlex.join(map(str, words or ("genrun", "train", "--resume", run)))
        how = f"; go on with: {command}" if (run / "run.toml").exists() else ""
        said = str(error) if isinstance(error, TrainingInterrupted) else "interrupted"
        say(f"{said}{how}")
        raise click.exceptions.Exit(128 + getattr(error, "number", signal.SIGINT)) from None
