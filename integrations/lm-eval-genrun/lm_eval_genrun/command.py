"""The command ``lm-eval-genrun``: ``lm-eval`` that knows genrun model files and the task ``genrun_documents``."""

from __future__ import annotations

import sys

__all__ = ["arguments", "main"]


def arguments(given: list[str]) -> list[str]:
    """Return the arguments of ``lm-eval`` for those of this command.

    The model is ``genrun``, and tasks are looked for in this package, unless ``given`` says something else.

    >>> arguments(["--tasks", "genrun_documents"])[:5]
    ['run', '--tasks', 'genrun_documents', '--model', 'genrun']
    """
    from lm_eval_genrun import TASKS

    commands = ("run", "ls", "validate")
    command, rest = (given[0], given[1:]) if given[:1] and given[0] in commands else ("run", given)
    named = {argument.partition("=")[0] for argument in rest}
    if command == "run" and not named & {"--model", "-M", "--config", "-C", "--help", "-h"}:
        rest = [*rest, "--model", "genrun"]
    if not named & {"--include_path", "--help", "-h"}:
        rest = [*rest, "--include_path", str(TASKS)]
    return [command, *rest]


def main() -> None:
    """Run ``lm-eval`` with the model ``genrun``; an error of genrun is one line."""
    from lm_eval.__main__ import cli_evaluate

    from genrun import GenrunError

    sys.argv = ["lm-eval-genrun", *arguments(sys.argv[1:])]
    try:
        cli_evaluate()
    except GenrunError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
