"""``genrun score``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genrun.cli.options.label import label_option
from genrun.cli.options.opening import OpeningOptions, opening_options

if TYPE_CHECKING:
    from genrun.scoring.scores import Score

__all__ = ["command"]


@click.command("score")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@label_option("How likely the texts are as texts of this kind.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every token's log-probability.")
def command(
    model_file: str, texts: tuple[str, ...], labels: dict[str, str], opening: OpeningOptions, as_json: bool
) -> None:
    """Measure how likely each TEXT is under MODEL: perplexity, log-probability, predicted tokens, the text.

    A TEXT of "-" (and no TEXT at all) reads texts from standard input, one a line.
    """
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.prompt_source import PromptSource

    model = opening.load(model_file)
    with PromptSource(texts or ["-"]) as source, LineWriter() as writer:
        for block in source:
            for score in model.score_each(block, labels=labels):
                if as_json:
                    writer.write_json(score.to_json())
                else:
                    writer.write(*_columns(score))
            writer.flush()


def _columns(score: Score) -> tuple[str, ...]:
    """Return the columns of a text's line, after its notes on stderr."""
    from genrun.checks.printable import quoted
    from genrun.checks.short_text import shorten
    from genrun.cli.io.output import say
    from genrun.cli.io.unknown_words import say_unknown

    say_unknown(score.text, score.unknown)
    if not score.tokens:
        say(f"note: nothing is predicted in {quoted(shorten(score.text))}")
    return f"{score.perplexity:.2f}", f"{score.log_probability:.3f}", str(score.tokens), score.text
