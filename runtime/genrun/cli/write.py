"""``genrun write``."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genrun.cli.options.decoder import DecoderOptions, decoder_options
from genrun.cli.options.opening import OpeningOptions, opening_options
from genrun.errors import PromptError

if TYPE_CHECKING:
    from genrun.cli.drafting import Candidate, Draft, Kept
    from genrun.cli.io.line_writer import LineWriter
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["command"]

_PHRASE = 5  # tokens
_HELP = (
    "a number takes that candidate; any other text is added as it is typed (a number after a space)",
    "Enter: other candidates; /undo; /keep: keep the text and begin the next; /quit; short: /u /k /q",
)


@click.command("write")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("prompt", metavar="[PROMPT]", default="")
@click.option("-o", "output", type=click.Path(path_type=Path), required=True, help="The file of the texts you keep.")
@click.option("--words", type=click.IntRange(0, 50), default=6, show_default=True, help="Next words on offer.")
@click.option("--phrases", type=click.IntRange(0, 50), default=3, show_default=True, help="Phrases on offer.")
@decoder_options
@click.option("--seed", type=int, help="Same seed, same phrases. [default: a fresh one]")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@opening_options
def command(
    model_file: str,
    prompt: str,
    output: Path,
    words: int,
    phrases: int,
    choosing: DecoderOptions,
    seed: int | None,
    casing: str | None,
    opening: OpeningOptions,
) -> None:
    """Write texts together with MODEL: it offers words and phrases, you choose one or type your own.

    The texts that you keep go to the file of -o, one a line; how each came about goes to FILE.jsonl beside it. A text
    that was not kept is continued the next time.
    """
    from genrun.cli.drafting import Kept
    from genrun.cli.io.line_writer import LineWriter

    kept = Kept(output)
    model = opening.load(model_file)
    settings = choosing.settings(model, seed=seed, casing=casing)
    if choosing.max_new_tokens is None:
        settings = dataclasses.replace(settings, max_new_tokens=_PHRASE)
    with LineWriter(seconds=0) as writer:
        for line in _HELP:
            writer.write(line)
        _Desk(model, settings, kept, writer, prompt, (words, phrases)).work()


class _Desk:
    """The dialogue: shows the text and what is offered, reads a line, does what it says."""

    def __init__(
        self,
        model: Model,
        settings: GenerationSettings,
        kept: Kept,
        writer: LineWriter,
        start: str,
        counts: tuple[int, int],
    ) -> None:
        from genrun.cli.drafting import Draft

        self._model, self._settings, self._kept, self._writer = model, settings, kept, writer
        self._start, self._counts, self._page = start, counts, 0
        self._about: dict[str, Any] = {"model": model.digest or str(model.path), "seed": settings.seed}
        self._draft: Draft = Draft(start)
        if kept.unfinished is not None and not start:
            self._start = kept.unfinished["start"]
            self._draft = Draft.of(self._start, kept.unfinished["events"])
            writer.write("the text of the last time:")

    def work(self) -> None:
        """Go on until the end of the input, or /quit."""
        while True:
            offered = self._offer()
            self._writer.write_part("> ")
            line = sys.stdin.readline()
            if not line:
                self._writer.write("")
            answer = line.rstrip("\r\n")
            if not line or answer in ("/quit", "/q"):
                return
            self._obey(answer, offered)
            self._kept.save(self._draft, self._start, self._about)

    def _offer(self) -> list[Candidate]:
        """Show the text and the candidates, and return these."""
        from genrun.cli.drafting import candidates

        self._writer.write("")
        self._writer.write(self._draft.text or "(type the first words, or choose)")
        try:
            offered = candidates(
                self._model,
                self._draft.text,
                self._settings,
                words=self._counts[0],
                phrases=self._counts[1],
                page=self._page,
            )
        except PromptError as error:
            self._writer.write(f"  {error}")
            return []
        for number, each in enumerate(offered, 1):
            share = "" if each.probability is None else f"   {each.probability:.1%}".replace("%", " %")
            self._writer.write(f"  {number:2}  {each.added.strip()}{share}")
        return offered

    def _obey(self, answer: str, offered: list[Candidate]) -> None:
        page, self._page = self._page, 0
        if not answer:
            self._page = page + 1 if offered else 0
        elif answer in ("/undo", "/u"):
            if not self._draft.undo():
                self._writer.write("there is nothing to undo")
        elif answer in ("/keep", "/k"):
            self._keep()
        elif answer.isascii() and answer.isdecimal():
            if 1 <= int(answer) <= len(offered):
                chosen = offered[int(answer) - 1]
                texts = [each.added.strip() for each in offered]
                self._draft.add(chosen.added, chosen.kind, number=int(answer), offered=texts)
            else:
                self._writer.write(f"there is no candidate {answer}; to add this number, put a space before it")
                self._page = page
        elif answer.startswith("/"):
            for line in _HELP:
                self._writer.write(line)
            self._page = page
        elif answer.strip():
            self._draft.type(answer)

    def _keep(self) -> None:
        from genrun.cli.drafting import Draft

        if not self._draft.text.strip():
            self._writer.write("there is no text to keep yet")
            return
        self._kept.keep(self._draft, self._start, self._about)
        self._writer.write(f"kept: {self._draft.text}")
        self._draft = Draft(self._start)
