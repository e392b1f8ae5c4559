"""``genrun score``."""

from __future__ import annotations

import json

import click

from genrun.cli.devices import device_options

__all__ = ["command"]


@click.command("score")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every token's log-probability.")
def command(model_file: str, texts: tuple[str, ...], device: str, threads: int | None, as_json: bool) -> None:
    """Say how likely each TEXT is to MODEL: perplexity, log-probability, predicted tokens, the text.

    A TEXT of "-" (and no TEXT at all) reads texts from standard input, one a line.
    """
    from genrun.cli.texts import Texts
    from genrun.cli.unknown_words import say_unknown
    from genrun.model import load
    from genrun.results import shorten

    model = load(model_file, device=device, threads=threads)
    for score in model.score_each(Texts(texts or ("-",))):
        if as_json:
            click.echo(json.dumps(score.to_json(), ensure_ascii=False))
            continue
        say_unknown(score.text, score.unknown)
        if not score.tokens:
            click.echo(f"note: nothing is predicted in {shorten(score.text)!r}", err=True)
        shown = score.text.replace("\t", " ").replace("\n", " ")  # one line, four columns
        click.echo(f"{score.perplexity:.2f}\t{score.log_probability:.3f}\t{score.tokens}\t{shown}")
