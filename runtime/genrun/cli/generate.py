"""``genrun generate``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import click

from genrun.cli.options.cluster import ClusterOptions, cluster_options
from genrun.cli.options.decoder import DecoderOptions, decoder_options
from genrun.cli.options.opening import OpeningOptions, opening_options
from genrun.cli.options.output import OutputOptions, output_options
from genrun.cli.options.search import search_options
from genrun.cli.options.text import SettingsFor, TextOptions, text_options

if TYPE_CHECKING:
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.generating.searching.methods import Search
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["command"]

_NOT_WITH_RAY = "--prompts, --lines, --json, --explain, --stream and --mix"


@click.command("generate")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("prompts", metavar="[PROMPT]...", nargs=-1)
@click.option("--prompts", "files", metavar="FILE", multiple=True, help="Prompts, one a line; - is standard input.")
@click.option("-n", "samples", type=click.IntRange(1), default=1, show_default=True, help="Texts for each prompt.")
@decoder_options
@search_options
@text_options
@opening_options
@click.option("--mix", metavar="FILE:WEIGHT", help="Mix in another model of the same vocabulary: other.onnx:0.3.")
@output_options
@cluster_options
def command(
    model_file: str,
    prompts: tuple[str, ...],
    files: tuple[str, ...],
    samples: int,
    choosing: DecoderOptions,
    searching: Callable[[int], Search | None],
    text: TextOptions,
    opening: OpeningOptions,
    mix: str | None,
    writing: OutputOptions,
    cluster: ClusterOptions | None,
) -> None:
    """Generate text with MODEL, continuing each PROMPT, and then each line of the FILE of --prompts.

    Without a prompt the model begins by itself, if it was trained to. A PROMPT of "-" reads prompts from standard
    input, one a line, as --prompts - does.
    """
    search = searching(samples)
    writing.check(samples, search)
    if len(files) > 1:
        raise click.UsageError("--prompts takes one file; for several use cat FILE… | genrun generate … --prompts -")
    settings_for = partial(text.settings, choosing, search)
    if cluster is not None:
        if writing.output is None or writing.has_form or prompts or files or mix:
            raise click.UsageError("--ray goes with -o FOLDER, and with no PROMPT and none of " + _NOT_WITH_RAY)
        from genrun.cli.clustering import write_folder

        write_folder(model_file, opening, settings_for, samples, cluster, writing.output, writing)
        return
    _note_files(prompts)
    from genrun.cli.io.prompt_source import PromptSource

    with PromptSource(prompts if prompts or files else [""], *files) as source:
        _generate(source, partial(opening.load_mixed, model_file, mix), settings_for, samples, writing)


def _generate(
    source: PromptSource, load: Callable[[], Model], settings_for: SettingsFor, samples: int, writing: OutputOptions
) -> None:
    """Write the texts of the prompts of ``source``, unless the file of -o is finished."""
    from genrun.cli.io.output import say
    from genrun.cli.io.output_file import OutputFile, Unfinished

    unfinished = Unfinished.read(writing.output) if writing.output and writing.resume else None
    if writing.output and writing.resume and unfinished is None and writing.output.exists():
        say(f"{writing.output} is finished")
        return
    model = load()
    settings = settings_for(model, None if unfinished is None else unfinished.settings.get("seed"))
    if not writing.quiet:
        say(f"{model.device} ({model.device_reason}), seed {settings.seed}")
    if writing.explain:
        from genrun.cli.explaining import write_explanations

        write_explanations(model, source, settings, writing.output, as_json=writing.as_json)
    elif writing.stream:
        _stream(model, source, settings, lines=writing.lines)
    else:
        from genrun.cli.io.line_writer import LineWriter
        from genrun.cli.io.text_output import TextOutput

        texts = TextOutput(model, source, samples, settings, lines=writing.lines, as_json=writing.as_json)
        writer = OutputFile(writing.output, texts.about(), unfinished, say) if writing.output else LineWriter()
        texts.write(writer, quiet=writing.quiet)


def _note_files(prompts: tuple[str, ...]) -> None:
    """Print a note for each prompt that is the name of a file."""
    from genrun.cli.io.output import say

    for prompt in filter(os.path.isfile, prompts):
        say(f"note: there is a file {prompt!r}; --prompts {shlex.quote(prompt)} takes its lines as prompts")


def _stream(model: Model, source: PromptSource, settings: GenerationSettings, *, lines: bool) -> None:
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.unknown_words import noting_unknown

    with LineWriter(seconds=0) as writer:
        streams = noting_unknown(source, model.tokenizer, partial(model.stream, settings=settings))
        for prompt, pieces in streams:
            for piece in chain([model.prompt_text(prompt, casing=settings.casing)], pieces):
                first, *others = piece.split("\n") if lines else [piece]
                writer.write_part(first)
                for line in others:
                    writer.write("")  # ends the line before
                    writer.write_part(line)
            writer.write("")
            if lines:
                writer.write("")
