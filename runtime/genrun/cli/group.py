"""The ``genrun`` command group: commands are plugins, found by entry point and imported when used."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

import genrun
from genrun.checks.printable import printable
from genrun.cli.io.output import say, say_lines
from genrun.cli.io.signals import end_on_second, received
from genrun.cli.io.streams import abandon_stdout, prepare_streams, reader_has_gone
from genrun.errors import GenrunError, OptionError, PromptError, UnknownPluginError, one_line

if TYPE_CHECKING:
    from genrun.registry import PluginInfo

__all__ = ["cli", "run"]

_SUMMARIES = {  # here, so that help does not import the commands
    "bench": "Measure how fast a model file generates, and where the time goes.",
    "doctor": "Look for what would keep genrun from working here.",
    "evaluate": "Measure how well a run or a model predicts texts.",
    "export": "Make a verified model file from a run folder.",
    "generate": "Generate text with a model file.",
    "info": "Show what a model file records about itself.",
    "install": "Install packages with plugins where genrun runs.",
    "plugins": "List the plugins and their packages, check one, or begin a new one.",
    "report": "Show what a model's texts are like beside held-out documents.",
    "score": "Measure how likely texts are under a model.",
    "serve": "Serve models over HTTP, in the shape of the OpenAI API.",
    "suggest": "Suggest the next words of a text, or complete its last word.",
    "train": "Train a model on a corpus and leave a run folder.",
    "try": "Go from files to ten texts in one command: look, train, export, generate.",
    "uninstall": "Remove packages with plugins.",
    "write": "Write texts with a model: it offers words, you choose or type.",
    "verify": "Replay the golden texts that a model file carries.",
}


_DEBUG = "genrun.debug"  # in a context: whether to show tracebacks
_USAGE = (OptionError, UnknownPluginError)  # a wrong option value is wrong usage, wherever it is found


class _PastClick(Exception):
    """Carries an error past click, which would print something and choose another exit status."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


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
            # No built-in command multiplies with NumPy; importing it makes OpenBLAS start a thread for each core.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        end_on_second()  # importing a command may delay Python's handlers
        command: click.Command = registry.load(info)
        return _with_debug(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from genrun import registry

        offered = registry.plugins("command")
        built_in = {info.name for info in offered if info.built_in}
        shown = [info for info in offered if info.built_in or info.name not in built_in]
        rows = [(printable(info.name), printable(_summary(info))) for info in shown]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _past_click():  # this includes printing the help
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _past_click(), _debugging(ctx):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from genrun import registry
        from genrun.errors import nearest

        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            why = registry.left_out("command", name)
            ctx.fail(why or f"no such command {name!r}; {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@contextlib.contextmanager
def _past_click() -> Iterator[None]:
    try:
        yield
    except (OSError, KeyboardInterrupt) as error:
        raise _PastClick(error) from error


@contextlib.contextmanager
def _debugging(ctx: click.Context) -> Iterator[None]:
    """Print the traceback of what is raised if ``--debug`` is given."""
    try:
        yield
    except Exception:
        if ctx.meta.get(_DEBUG):
            import traceback

            say_lines(traceback.format_exc())
        raise


def _with_debug(command: click.Command) -> click.Command:
    """Give a command ``--debug``, unless it has such an option."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[_DEBUG] = True

    if all("--debug" not in parameter.opts for parameter in command.params):
        about = "Show tracebacks too."
        option = click.Option(
            ["--debug"], is_flag=True, expose_value=False, is_eager=True, callback=remember, help=about
        )
        command.params.append(option)
    return command


def _summary(info: PluginInfo) -> str:
    if info.built_in:
        return _SUMMARIES.get(info.name, "")
    return f"(from {info.owner})"


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
    """Print a warning of genrun as a note, without the line of code that raised it."""
    if category.__module__.partition(".")[0] == "genrun":
        say(f"note: {message}")
    else:
        say_lines(warnings.formatwarning(message, category, filename, lineno, line))


def run(command: Callable[..., Any] = cli) -> NoReturn:
    """Run a command, print every error of the user as one line, and exit with its status."""
    prepare_streams()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note_warning
            status = command(standalone_mode=False)
        sys.stdout.flush()
    except _PastClick as carrier:
        status = _status_of(carrier.error)
    except Exception as error:
        status = _status_of(error)
    abandon_stdout()  # so that the interpreter does not try again to write when it ends
    sys.exit(status if isinstance(status, int) else 0)


def _status_of(error: BaseException) -> int:
    """Print an error on stderr and return its exit status; raises it if it is a mistake in genrun."""
    if (number := received()) is not None:  # an import, for one, replaces Stopped by another error
        return _stopped(number)
    match error:
        case click.ClickException():
            shown = io.StringIO()
            error.show(shown)
            say_lines(shown.getvalue())
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            return _stopped(signal.SIGINT)
        case GenrunError():
            say(f"error: {one_line(error)}")
            return 2 if isinstance(error, _USAGE) and not isinstance(error, PromptError) else 1
        case BrokenPipeError() if reader_has_gone():
            return 0
        case UnicodeEncodeError():
            text = error.object[error.start : error.end]
            say(f"error: {text!r} cannot be written in the encoding {error.encoding}")
            return 1
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            say(f"error: {where}{error.strerror or error}")
            return 1
        case MemoryError():
            say("error: there is not enough memory")
            return 1
    raise error


def _stopped(number: signal.Signals) -> int:
    if number == signal.SIGINT:
        say("interrupted")
    return 128 + number
