"""A page for each command, made from the command itself: its usage, what it does, and its options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from genrun import registry
from genrun.cli.group import cli

__all__ = ["command_names", "command_page", "commands_page"]

_TASKS = {  # a page of the task, where it has another name than the command
    "evaluate": "train.md#how-good-it-is",
    "info": "export.md#afterwards",
    "score": "generate.md#how-likely-a-text-is",
    "verify": "export.md#afterwards",
}


def command_names() -> list[str]:
    """Return the names of genrun's own commands, sorted.

    >>> "train" in command_names()
    True
    """
    return sorted(info.name for info in registry.plugins("command") if info.built_in)


def command_page(name: str, pages: frozenset[str]) -> str:
    """Return the page of a command in Markdown; ``pages`` are those of docs/ that it can link to.

    >>> print(command_page("verify", frozenset({"export.md"})).splitlines()[0])
    # genrun verify
    """
    command = _command(name)
    context = click.Context(command, info_name=f"genrun {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"# genrun {name}", f"```\n{usage}\n```", *_paragraphs(command.help or "")]
    rows = list(_option_rows(command, context))
    parts.append("\n".join(["| option | means |", "|---|---|", *rows]))
    task = _TASKS.get(name, f"{name}.md")
    if task.partition("#")[0] in pages:
        parts.append(f"The task, with examples: [{task.partition('#')[0].removesuffix('.md')}](../{task}).")
    parts.append("What a status means: [exit statuses](../generate.md#exit-statuses-and-output).")
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Return the page that lists the commands."""
    summaries = {name: _plain(_command(name).get_short_help_str(200)) for name in command_names()}
    rows = [f"| [`genrun {name}`]({name}.md) | {summary} |" for name, summary in summaries.items()]
    return "\n".join(
        [
            "# Commands\n",
            "These pages are made from the commands: they say what `genrun COMMAND --help` says. All commands have",
            "the same [exit statuses](../generate.md#exit-statuses-and-output), and a shell can",
            "[complete](../generate.md#exit-statuses-and-output) them.\n",
            "| command | does |",
            "|---|---|",
            *rows,
            "\nCommands of [plugins](../plugins.md#a-command) come on top: `genrun plugins` lists them.\n",
        ]
    )


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise LookupError(f"genrun has no command {name!r}")
    return command


def _paragraphs(text: str) -> list[str]:
    return [_plain(paragraph.replace("\n", " ")) for paragraph in inspect.cleandoc(text).split("\n\n")]


def _option_rows(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1]:
            yield f"| `{record[0]}` | {_plain(record[1])} |"


def _plain(text: str) -> str:
    """Return text whose marks mean nothing in Markdown."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)
