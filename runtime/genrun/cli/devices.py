"""The options of every command that opens a model: where it runs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["device_options"]

F = TypeVar("F", bound=Callable[..., Any])


def device_options(command: F) -> F:
    """Give a command ``--device`` and ``--threads``, the parameters ``device`` and ``threads`` of ``genrun.load``."""
    threads = click.option("--threads", type=int, help="CPU threads to use. [default: all cores]")
    device = click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="DEVICE",
        help="auto, cpu, cuda, or onnxruntime's providers, separated by commas.",
    )

    @functools.wraps(command)
    def quietly(*arguments: Any, **named: Any) -> Any:
        _log_only_what_is_fatal()
        return command(*arguments, **named)

    return device(threads(quietly))  # type: ignore[return-value]


def _log_only_what_is_fatal() -> None:
    """Keep onnxruntime's default logger from repeating, in long lines, what becomes an error of one line.

    This is for a process of our own: a library call leaves the logger to the program.
    """
    from genrun.device import import_onnxruntime
    from genrun.errors import GenrunError

    with contextlib.suppress(GenrunError):  # opening the model says it
        import_onnxruntime().set_default_logger_severity(4)
