"""``genrun evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("evaluate")
@click.argument("path", metavar="RUN|MODEL", type=click.Path(path_type=Path, readable=False))
@click.argument("corpus", nargs=-1, required=True)
@click.option("--reader", help="How the corpus is read. [default: as the run was trained; text for a model file]")
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="An option of the reader.")
@click.option(
    "--running/--documents",
    "running_text",
    default=None,
    help="Whether the documents are one text, each predicted after the one before. [default: as trained]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    path: Path,
    corpus: tuple[str, ...],
    reader: str | None,
    assignments: tuple[str, ...],
    running_text: bool | None,
    as_json: bool,
) -> None:
    """Measure how well a run folder or a model file predicts CORPUS: perplexity, and bits for each character.

    A run and the model file exported from it give the same figures with the same reader: name it for a model file
    that was not trained on lines of text.
    """
    from genrun.cli.io.output import say, show, show_json
    from genrun.errors import OptionError
    from genrun.options import parse_assignments
    from genrun_core.evaluation.evaluation import evaluate
    from genrun_core.recipes.sections import PluginChoice

    values = {key.removeprefix("reader."): value for key, value in parse_assignments(assignments).items()}
    if values and reader is None:
        raise OptionError("--set is for options of the reader: name it with --reader")
    result = evaluate(path, corpus, PluginChoice(reader, values) if reader else None, running_text=running_text)
    if as_json:
        show_json(result.to_json())
        return
    unknown = f", {result.unknown:,} words outside the vocabulary" if result.unknown else ""
    say(f"{result.documents:,} documents, {result.tokens:,} predicted tokens{unknown}")
    known = f" ({result.known_perplexity:.2f} for words of the vocabulary)" if result.unknown_tokens else ""
    show(f"perplexity {result.perplexity:.2f}{known}, {result.bits_per_character:.3f} bits a character")
