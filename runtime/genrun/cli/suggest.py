"""``genrun suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from genrun.cli.opening_options import OpeningOptions, opening_options

if TYPE_CHECKING:
    from genrun.suggesting.suggester import Suggestion

__all__ = ["command"]


@click.command("suggest")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("-n", "most", type=click.IntRange(1), default=5, show_default=True, help="Most words for each text.")
@click.option("--end", is_flag=True, help="Offer the end of the text as well.")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each text, one a line.")
def command(
    model_file: str,
    texts: tuple[str, ...],
    most: int,
    end: bool,
    casing: str | None,
    opening: OpeningOptions,
    as_json: bool,
) -> None:
    """Suggest the likeliest next words of each TEXT, or what the word that it breaks off in may become.

    Prints probability and word. A word is finished when a space or punctuation follows it: quote a TEXT that ends
    with a space. A TEXT of "-" (and no TEXT at all) reads texts from standard input, one a line.
    """
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.errors import PromptError

    typing = opening.load(model_file).typing(casing=casing)
    first = True
    with PromptSource(texts or ["-"]) as source, LineWriter() as writer:
        for block in source:
            for index, text in enumerate(block):
                answer = _Answer(text)
                try:
                    answer.suggestions = typing.suggest(text, most, end=end)
                    answer.unknown = typing.unknown
                except PromptError as error:  # usually a first word that is only begun: no reason to stop
                    answer.problem = str(source.located(error, index))
                if as_json:
                    writer.write_json(answer.to_json())
                    continue
                if not first:
                    writer.write("")  # between texts
                first = False
                answer.say_notes()
                for suggestion in answer.suggestions:
                    writer.write(f"{suggestion.probability:.4f}", suggestion.text or "<end>")
            writer.flush()


@dataclass(slots=True)
class _Answer:
    """What is suggested for a text; ``problem`` says why nothing can be."""

    text: str
    suggestions: Sequence[Suggestion] = ()
    unknown: Sequence[str] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the answer as a JSON-ready dictionary."""
        answer: dict[str, Any] = {"text": self.text, "suggestions": [each.to_json() for each in self.suggestions]}
        answer["unknown"] = self.unknown
        return {**answer, "error": self.problem} if self.problem else answer

    def say_notes(self) -> None:
        """Say on stderr what is to be said besides the words."""
        from genrun.checks.printable import quoted
        from genrun.checks.short_text import shorten
        from genrun.cli.io.output import say
        from genrun.cli.io.unknown_words import say_unknown

        say_unknown(self.text, self.unknown)
        if self.problem:
            say(f"note: {self.problem}")
        elif not self.suggestions:
            say(f"note: no word of the model's vocabulary begins like the last of {quoted(shorten(self.text))}")
