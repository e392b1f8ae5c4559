"""``genrun evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genrun.cli.options.label import label_option

if TYPE_CHECKING:
    from genrun_core.evaluation.evaluation import Evaluation

__all__ = ["command"]

_MOSTLY = 0.5  # of the predicted tokens


@click.command("evaluate")
@click.argument("path", metavar="RUN|MODEL", type=click.Path(path_type=Path, readable=False))
@click.argument("corpus", nargs=-1)
@click.option("--held-out", is_flag=True, help="In place of CORPUS: the documents that the run RUN held out.")
@click.option("--reader", help="How the corpus is read. [default: as the run was trained; text for a model file]")
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="An option of the reader.")
@click.option(
    "--running/--documents",
    "running_text",
    default=None,
    help="Whether the documents are one text, each predicted after the one before. [default: as trained]",
)
@label_option("Measure all documents with this label, in place of their own; NAME= means none.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    path: Path,
    corpus: tuple[str, ...],
    held_out: bool,
    reader: str | None,
    assignments: tuple[str, ...],
    running_text: bool | None,
    labels: dict[str, str],
    as_json: bool,
) -> None:
    """Measure how well a run folder or a model file predicts CORPUS: perplexity, and bits for each character.

    A run and the model file exported from it give the same figures with the same reader: name it for a model file
    that was not trained on lines of text.
    """
    from genrun.cli.io.log_lines import showing_log
    from genrun.cli.io.output import show_json
    from genrun.contracts.options import parse_assignments
    from genrun.errors import OptionError
    from genrun_core.backend import spare_memory
    from genrun_core.evaluation.evaluation import evaluate, evaluate_held_out
    from genrun_core.recipes.sections import PluginChoice

    if held_out == bool(corpus):
        raise click.UsageError("name a CORPUS, or --held-out for the documents that the run held out")
    values = {key.removeprefix("reader."): value for key, value in parse_assignments(assignments).items()}
    if values and reader is None:
        raise OptionError("--set is for options of the reader: name it with --reader")
    if held_out and (reader or running_text is not None):
        raise click.UsageError("--held-out is read as in the training: no --reader, no --running, no --documents")
    spare_memory()
    with showing_log():
        if held_out:
            result = evaluate_held_out(path, labels)
        else:
            choice = PluginChoice(reader, values) if reader else None
            result = evaluate(path, corpus, choice, running_text=running_text, labels=labels)
    if as_json:
        show_json(result.to_json())
    else:
        _show(result, path, held_out)


def _show(result: Evaluation, path: Path, held_out: bool) -> None:
    """Print the figures, and what to type next."""
    from genrun.cli.io.output import say, show
    from genrun_core.cli.going_on import say_next
    from genrun_core.runs.naming import default_model_file

    what = "held-out documents" if held_out else "documents"
    unknown = f", {result.unknown:,} words outside the vocabulary" if result.unknown else ""
    say(f"{result.documents:,} {what}, {result.tokens:,} predicted tokens{unknown}")
    if result.unknown_tokens > _MOSTLY * result.tokens:
        say("note: most words are not in the vocabulary: is this the language, and the reader, of the training?")
    known = f" ({result.known_perplexity:.2f} for words of the vocabulary)" if result.unknown_tokens else ""
    bits = f", {result.bits_per_character:.3f} bits a character" if result.characters else ""
    show(f"perplexity {result.perplexity:.2f}{known}{bits}")
    if path.is_dir():
        say_next("genrun", "export", path, "-o", default_model_file(path))
    else:
        say_next("genrun", "generate", path)
