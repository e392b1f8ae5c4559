"""``genrun generate``."""

from __future__ import annotations

import os
import shlex
import warnings
from itertools import chain
from typing import TYPE_CHECKING

import click

from genrun.cli.decoder_options import DecoderOptions, decoder_options
from genrun.cli.opening_options import OpeningOptions, opening_options
from genrun.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from genrun.cli.io.prompt_source import PromptSource
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model
    from genrun.results import Result

__all__ = ["command"]


@click.command("generate")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("prompts", metavar="[PROMPT]...", nargs=-1)
@click.option("--prompts", "files", metavar="FILE", multiple=True, help="Prompts, one a line; - is standard input.")
@click.option("-n", "samples", type=click.IntRange(1), default=1, show_default=True, help="Texts for each prompt.")
@decoder_options
@click.option("--seed", type=int, help="Same seed, same text. [default: a fresh one, shown]")
@click.option("--stop", metavar="TEXT", multiple=True, help=r"End a text before TEXT; \n is a line break.")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@opening_options
@click.option("--lines", is_flag=True, help="Print line breaks as they are, and a blank line after each text.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
@click.option("--stream", is_flag=True, help="Print each word as soon as it is chosen.")
@click.option("-q", "--quiet", is_flag=True, help="Keep device, seed and progress off stderr.")
def command(
    model_file: str,
    prompts: tuple[str, ...],
    files: tuple[str, ...],
    samples: int,
    choosing: DecoderOptions,
    seed: int | None,
    stop: tuple[str, ...],
    casing: str | None,
    opening: OpeningOptions,
    lines: bool,
    as_json: bool,
    stream: bool,
    quiet: bool,
) -> None:
    """Generate text with MODEL, continuing each PROMPT, and then each line of the FILE of --prompts.

    Without a prompt the model begins by itself, if it was trained to. A PROMPT of "-" reads prompts from standard
    input, one a line, as --prompts - does.
    """
    from genrun.cli.io.output import say
    from genrun.cli.io.prompt_source import PromptSource

    if stream and (samples > 1 or as_json):
        raise click.UsageError("--stream prints one text for each prompt; it does not go with -n or --json")
    if lines and as_json:
        raise click.UsageError("--json carries every line break; it does not go with --lines")
    if len(files) > 1:
        raise click.UsageError("--prompts takes one file; for several use cat FILE… | genrun generate … --prompts -")
    _note_files(prompts)
    with PromptSource(prompts if prompts or files else [""], *files) as source:
        model = opening.load(model_file)
        stops = tuple([text.replace(r"\n", "\n") for text in stop])  # as texts are printed
        settings = choosing.settings(model, seed=seed, stop=stops, casing=casing)
        if not quiet:
            say(f"{model.device} ({model.device_reason}), seed {settings.seed}")
        if stream:
            _stream(model, source, settings, lines=lines)
        else:
            _print_results(model, source, samples, settings, lines=lines, as_json=as_json, quiet=quiet)


def _note_files(prompts: tuple[str, ...]) -> None:
    """Print a note for each prompt that is the name of a file."""
    from genrun.cli.io.output import say

    for prompt in filter(os.path.isfile, prompts):
        say(f"note: there is a file {prompt!r}; --prompts {shlex.quote(prompt)} takes its lines as prompts")


def _print_results(
    model: Model,
    source: PromptSource,
    samples: int,
    settings: GenerationSettings,
    *,
    lines: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.progress import Progress
    from genrun.cli.io.unknown_words import UnknownWords

    shown = source.is_unbounded and not quiet
    total = source.total() if shown else None
    progress = Progress(total and total * samples, shown=shown)
    unknown, some, empty = UnknownWords(progress.say), False, 0
    with progress, LineWriter() as writer:
        try:
            for result in _results(model, source, samples, settings, writer.flush):
                if result.sample == 0:
                    unknown.note(result.prompt, result.unknown)
                if as_json:
                    writer.write_json(result.to_json())
                else:
                    for line in [*result.text.split("\n"), ""] if lines else [result.text]:
                        writer.write(line)
                progress.advance(len(result.ids))
                some, empty = True, empty + (not result.text.strip())
            if not some:
                progress.say("note: there were no prompts")
            if empty:
                many = "a text is" if empty == 1 else f"{empty:,} texts are"
                progress.say(f"note: {many} empty: the model may end a text before its first word")
        finally:
            unknown.summarize()


def _results(
    model: Model, source: PromptSource, samples: int, settings: GenerationSettings, flush: Callable[[], None]
) -> Iterator[Result]:
    """Yield the results of a source, and ``flush`` before waiting for more of it."""
    for prompts in source:
        count = 0
        try:
            for result in model.generate_each(prompts, n=samples, settings=settings):
                yield result
                count += 1
        except PromptError as error:
            raise source.located(error, count // samples) from error
        flush()


def _stream(model: Model, source: PromptSource, settings: GenerationSettings, *, lines: bool) -> None:
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.unknown_words import say_unknown
    from genrun.results import UnknownWordsWarning

    with LineWriter(seconds=0) as writer:
        for prompts in source:
            for index, prompt in enumerate(prompts):
                try:
                    unknown = model.tokenizer.encode_prompt(prompt).unknown
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UnknownWordsWarning)  # a note instead
                        pieces = model.stream(prompt, settings=settings)
                except PromptError as error:
                    raise source.located(error, index) from error
                say_unknown(prompt, unknown)
                for piece in chain([model.prompt_text(prompt, casing=settings.casing)], pieces):
                    first, *others = piece.split("\n") if lines else [piece]
                    writer.write_part(first)
                    for line in others:
                        writer.write("")  # ends the line before
                        writer.write_part(line)
                writer.write("")
                if lines:
                    writer.write("")
