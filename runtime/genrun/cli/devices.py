"""The options of every command that opens a model: where it runs."""

from __future__ import annotations

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
    return device(threads(command))
