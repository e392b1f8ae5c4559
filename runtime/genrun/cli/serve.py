"""``genrun serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import click

from genrun.cli.options.opening import OpeningOptions, opening_options
from genrun.errors import MissingExtraError, OptionError, one_line

__all__ = ["command"]

_KEY = "GENRUN_API_KEY"
_MOST_GRACE_SECONDS = 86_400


@click.command("serve")
@click.argument("model_files", metavar="MODEL...", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for a free one.")
@click.option("--allow-host", "hosts", multiple=True, help="A name that the Host header may have; * for any.")
@click.option("--allow-origin", "origins", multiple=True, help="A web site whose pages may use this server.")
@click.option(
    "--key-file", type=click.Path(path_type=Path), help=f"A file with the key of clients. [default: ${_KEY}]"
)
@click.option("--rows", type=int, help="Texts that are generated at the same time. [default: 128]")
@click.option("--queue", type=int, help="Further texts that may wait. [default: 512]")
@click.option("--queue-seconds", type=float, help="How long a text waits at most. [default: 30]")
@click.option("--prompt-tokens", type=int, help="Most tokens of a prompt. [default: 4096]")
@click.option("--new-tokens", type=int, help="Most new tokens of a text. [default: 4096]")
@click.option("--texts", type=int, help="Most texts of a request. [default: 128]")
@click.option("--body-bytes", type=int, help="Most bytes of a request. [default: 1048576]")
@click.option("--body-seconds", type=float, help="How long a request may take to arrive. [default: 30]")
@click.option("--stall-seconds", type=float, help="How long a client may read nothing of an answer. [default: 30]")
@click.option("--grace-seconds", type=float, default=60, show_default=True, help="To finish texts after a signal.")
@click.option("--log", type=click.Choice(["json", "text", "none"]), default="json", show_default=True)
@opening_options
def command(
    model_files: tuple[str, ...],
    host: str,
    port: int,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    key_file: Path | None,
    grace_seconds: float,
    log: Literal["json", "text", "none"],
    opening: OpeningOptions,
    **limits: Any,
) -> None:
    """Serve each MODEL over HTTP, in the shape of the OpenAI API.

    A MODEL is a file, named like it without its ending, or NAME=FILE. SIGTERM or Ctrl-C ends the server once the
    texts that it has accepted are finished.
    """
    try:
        from genrun.serving.app import create_app
        from genrun.serving.logs import set_up_logs
        from genrun.serving.running import listen, serve_until_signal
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"serving needs {error.name}", "serve") from error
    from genrun.cli.io.output import say
    from genrun.serving.guard import LOOPBACK
    from genrun.serving.limits import Limits

    chosen = Limits(**{name: value for name, value in limits.items() if value is not None})
    key = _key(key_file)
    if not 0 <= grace_seconds <= _MOST_GRACE_SECONDS:
        raise OptionError(f"grace-seconds must be from 0 to {_MOST_GRACE_SECONDS}, not {grace_seconds}")
    models = {name: opening.load(path) for name, path in _named(model_files).items()}
    names = [*LOOPBACK, *hosts, f"[{host}]" if ":" in host else host]
    app = create_app(models, chosen, hosts=names, key=key, origins=origins)
    set_up_logs(log)
    with listen(host, port) as listening:
        shown = f"http://{names[-1]}:{listening.getsockname()[1]}/"
        facts = {name: f"{model.device}, vocabulary {len(model.tokenizer):,}" for name, model in models.items()}
        served = ", ".join(f"{name} ({fact})" for name, fact in facts.items())
        serve_until_signal(app, listening, grace_seconds=grace_seconds, ready=lambda: say(f"{shown} serves {served}"))


def _named(files: tuple[str, ...]) -> dict[str, str]:
    """Return the files by name; raises OptionError for two of one name.

    >>> _named(("models/harbour.onnx", "big=other.onnx"))
    {'harbour': 'models/harbour.onnx', 'big': 'other.onnx'}
    """
    named: dict[str, str] = {}
    for given in files:
        name, equals, path = given.partition("=")
        if not equals or os.path.exists(given):
            name, path = Path(given).stem, given
        if name in named:
            raise OptionError(f"two models have the name {name!r}; give one of them another: other={path}")
        named[name] = path
    return named


def _key(file: Path | None) -> str | None:
    """Return the key of clients; raises OptionError for one that is empty, or that no header can have."""
    try:
        key = os.environ.get(_KEY) if file is None else file.read_text("ascii")
    except (OSError, ValueError) as error:
        raise OptionError(f"cannot read a key of ASCII characters from {file}: {one_line(error)}") from error
    if key is None:
        return None
    if not key.strip():
        raise OptionError(f"the key is empty: {file or '$' + _KEY}")
    if not (key.isascii() and key.strip().isprintable()):
        raise OptionError(f"the key must be one line of ASCII characters: {file or '$' + _KEY}")
    return key.strip()
