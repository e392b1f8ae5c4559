"""``genrun suggest``."""

from __future__ import annotations

import json

import click

from genrun.cli.devices import device_options

__all__ = ["command"]


@click.command("suggest")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("-n", "most", type=click.IntRange(1), default=5, show_default=True, help="Most words for each text.")
@click.option("--end", is_flag=True, help="Offer the end of the text as well.")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each text, one a line.")
def command(
    model_file: str,
    texts: tuple[str, ...],
    most: int,
    end: bool,
    casing: str | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Suggest the likeliest next words of each TEXT, or what the word that it breaks off in may become.

    Prints probability and word. A word is finished when a space or punctuation follows it: quote a TEXT that ends
    with a space. A TEXT of "-" (and no TEXT at all) reads texts from standard input, one a line.
    """
    from genrun.cli.texts import Texts, printable
    from genrun.cli.unknown_words import say_unknown
    from genrun.model import load
    from genrun.results import shorten

    typing = load(model_file, device=device, threads=threads).typing(casing=casing)
    for number, text in enumerate(Texts(texts or ("-",))):
        suggestions = typing.suggest(text, most, end=end)
        if as_json:
            listed = [suggestion.to_json() for suggestion in suggestions]
            answer = {"text": text, "suggestions": listed, "unknown": typing.unknown}
            click.echo(json.dumps(answer, ensure_ascii=False))
            continue
        if number:
            click.echo()  # between texts
        say_unknown(text, typing.unknown)
        if not suggestions:
            click.echo(f"note: no word of the model's vocabulary begins like the last of {shorten(text)!r}", err=True)
        for suggestion in suggestions:
            click.echo(f"{suggestion.probability:.4f}\t{printable(suggestion.text) or '<end>'}")
