"""The ``genrun`` command group: commands are plugins, found by entry point and imported when they are used."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

import click

import genrun
from genrun.errors import GenrunError, UnknownPluginError, one_line

if TYPE_CHECKING:
    from genrun.registry import PluginInfo

__all__ = ["cli", "run"]

_SUMMARIES = {  # so that help does not import the commands
    "bench": "Measure how fast a model file generates, and where the time goes.",
    "doctor": "Look for what would keep genrun from working here.",
    "evaluate": "Measure how well a run or a model predicts texts.",
    "export": "Make a verified model file from a run folder.",
    "generate": "Generate text with a model file.",
    "info": "Show what a model file says about itself.",
    "plugins": "List readers, decoders and commands, and who ships them.",
    "score": "Say how likely given texts are to a model.",
    "suggest": "Suggest the next words of a text, or how its last one goes on.",
    "train": "Train a model on a corpus and leave a run folder.",
    "verify": "Replay the golden texts that a model file carries.",
}


class _ReaderGone(Exception):
    """The reader of our output has gone (``| head``)."""


class _PluginGroup(click.Group):
    """A group whose commands are the entry points of ``genrun.commands``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from genrun import registry

        return sorted({info.name for info in registry.plugins("command")})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from genrun import registry

        try:
            info = registry.find("command", cmd_name)
        except UnknownPluginError:
            return None  # click reports it as wrong usage, with the nearest names
        if info.built_in:
            # Of ours, none multiplies with NumPy; OpenBLAS would start a thread for each core when NumPy is imported.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        command: click.Command = registry.load(info)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from genrun import registry

        offered = registry.plugins("command")
        built_in = {info.name for info in offered if info.built_in}
        rows = [(info.name, _summary(info)) for info in offered if info.built_in or info.name not in built_in]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make it status 1
            raise _ReaderGone from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from genrun.errors import nearest

        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"no such command {name!r}; {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def _summary(info: PluginInfo) -> str:
    if info.built_in:
        return _SUMMARIES.get(info.name, "")
    return f"(from {info.distribution} {info.version})"


@click.group(cls=_PluginGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(genrun.__version__, prog_name="genrun")
def cli() -> None:
    """Train small language models, export each as one ONNX file, and generate text from it anywhere."""


def _note_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning of genrun's own as a note, without the line of code that it comes from."""
    if category.__module__.partition(".")[0] == "genrun":
        click.echo(f"note: {message}", err=True)
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)


def run(command: Callable[..., Any] = cli) -> None:
    """Run a command and turn every error of the user's into one line and its exit status."""
    # What a shell has closed (``>&-``) is None, and would make every command fail in its own way.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit lets half-written files be removed
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note_warning
            status = command(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except GenrunError as error:
        click.echo(f"error: {one_line(error)}", err=True)
        sys.exit(1)
    except (_ReaderGone, BrokenPipeError):
        # Not an error, but nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UnicodeEncodeError as error:
        text = error.object[error.start : error.end]
        click.echo(f"error: {text!r} cannot be written in the encoding {error.encoding}", err=True)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {where}{error.strerror or error}", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
