"""The options of every command that opens a model: where it runs."""

from __future__ import annotations

import contextlib
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
        callback=_log_only_what_is_fatal,
        help="auto, cpu, cuda, or onnxruntime's providers, separated by commas.",
    )
    return device(threads(command))


def _log_only_what_is_fatal(context: click.Context, parameter: click.Parameter, device: str) -> str:
    """Keep onnxruntime's default logger from repeating, in long lines, what becomes an error of one line.

    The process of a command is its own; a library call leaves the logger to the program.
    """
    from genrun.device import import_onnxruntime
    from genrun.errors import GenrunError

    if not context.resilient_parsing:  # which only completes what is typed
        with contextlib.suppress(GenrunError):  # opening the model raises it
            import_onnxruntime().set_default_logger_severity(4)
    return device
