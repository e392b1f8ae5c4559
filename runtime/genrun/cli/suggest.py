"""``genrun suggest``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from genrun.cli.options.label import label_option
from genrun.cli.options.opening import OpeningOptions, opening_options
from genrun.errors import PromptError

if TYPE_CHECKING:
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.suggesting.suggester import Suggestion
    from genrun.suggesting.typing_session import TypingSession

__all__ = ["command"]


@click.command("suggest")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("-n", "most", type=click.IntRange(1), default=5, show_default=True, help="Most words for each text.")
@click.option("--end", is_flag=True, help="Offer the end of the text as well.")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@label_option("Words for a text of this kind.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each text, one a line.")
def command(
    model_file: str,
    texts: tuple[str, ...],
    most: int,
    end: bool,
    casing: str | None,
    labels: dict[str, str],
    opening: OpeningOptions,
    as_json: bool,
) -> None:
    """Suggest the likeliest next words of each TEXT, or completions of its unfinished last word.

    Prints probability and word. A word is finished when a space or punctuation follows it: quote a TEXT that ends
    with a space. A TEXT of "-" (and no TEXT at all) reads texts from standard input, one a line.
    """
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.prompt_source import PromptSource

    typing = opening.load(model_file).typing(casing=casing, labels=labels)
    with PromptSource(texts or ["-"]) as source, LineWriter() as writer:
        for number, answer in enumerate(_answers(typing, source, most, end, writer.flush)):
            if as_json:
                writer.write_json(answer.to_json())
                continue
            if number:
                writer.write("")  # between texts
            answer.say_notes()
            for suggestion in answer.suggestions:
                writer.write(f"{suggestion.probability:.4f}", suggestion.text or "<end>")


@dataclass(frozen=True, slots=True)
class _Answer:
    """The suggestions for a text; ``problem`` is the reason where there can be none."""

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
        """Print the notes of the text on stderr."""
        from genrun.checks.printable import quoted
        from genrun.checks.short_text import shorten
        from genrun.cli.io.output import say
        from genrun.cli.io.unknown_words import say_unknown

        say_unknown(self.text, self.unknown)
        if self.problem:
            say(f"note: {self.problem}")
        elif not self.suggestions:
            say(f"note: no word of the model's vocabulary begins like the last word of {quoted(shorten(self.text))}")


def _answers(
    typing: TypingSession, source: PromptSource, most: int, end: bool, flush: Callable[[], None]
) -> Iterator[_Answer]:
    """Yield the answer to each text, and ``flush`` before waiting for more texts."""
    for texts in source:
        for index, text in enumerate(texts):
            try:
                answer = _Answer(text, typing.suggest(text, most, end=end), typing.unknown)
            except PromptError as error:  # usually a first word that is only begun: no reason to stop
                answer = _Answer(text, problem=str(source.located(error, index)))
            yield answer
        flush()
