"""``genrun generate``."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genrun.cli.cluster_options import ClusterOptions, cluster_options
from genrun.cli.decoder_options import DecoderOptions, decoder_options
from genrun.cli.label_option import label_option
from genrun.cli.opening_options import OpeningOptions, opening_options
from genrun.cli.search_options import search_options
from genrun.errors import PromptError

if TYPE_CHECKING:
    from genrun.cli.io.output_file import Unfinished
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.cli.io.text_output import TextOutput
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
@click.option("--seed", type=int, help="Same seed, same text. [default: a fresh one, shown]")
@click.option("--stop", metavar="TEXT", multiple=True, help=r"End a text before TEXT; \n is a line break.")
@click.option("--constraint", metavar="PARTS", multiple=True, help="What a text must meet: words:6,never:storm.")
@click.option("--particles", type=int, help="For --constraint: more are slower and more exact. [default: 32]")
@click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]")
@label_option("Texts of this kind, if MODEL was trained with labels (see genrun info).")
@opening_options
@click.option("--mix", metavar="FILE:WEIGHT", help="Mix in another model of the same vocabulary: other.onnx:0.3.")
@click.option("--lines", is_flag=True, help="Print line breaks as they are, and a blank line after each text.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write the texts to this file.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished file of -o.")
@cluster_options
@click.option("--explain", is_flag=True, help="Show how each word was chosen; a page with -o FILE.html.")
@click.option("--stream", is_flag=True, help="Print each word as soon as it is chosen.")
@click.option("-q", "--quiet", is_flag=True, help="Keep device, seed and progress off stderr.")
def command(
    model_file: str,
    prompts: tuple[str, ...],
    files: tuple[str, ...],
    samples: int,
    choosing: DecoderOptions,
    searching: Callable[[int], Search | None],
    seed: int | None,
    stop: tuple[str, ...],
    constraint: tuple[str, ...],
    particles: int | None,
    casing: str | None,
    labels: dict[str, str],
    opening: OpeningOptions,
    mix: str | None,
    lines: bool,
    as_json: bool,
    output: Path | None,
    resume: bool,
    cluster: ClusterOptions | None,
    explain: bool,
    stream: bool,
    quiet: bool,
) -> None:
    """Generate text with MODEL, continuing each PROMPT, and then each line of the FILE of --prompts.

    Without a prompt the model begins by itself, if it was trained to. A PROMPT of "-" reads prompts from standard
    input, one a line, as --prompts - does.
    """
    from genrun.cli.io.output import say
    from genrun.cli.io.output_file import Unfinished
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.cli.io.text_output import TextOutput

    search = searching(samples)
    if stream and search is not None:
        raise click.UsageError(
            "--stream prints words as they are chosen; --beam, --distinct and --spread find whole texts"
        )
    _check_usage(files, samples, output, resume=resume, lines=lines, as_json=as_json, stream=stream, explain=explain)

    def settings_for(model: Model, begun: int | None) -> GenerationSettings:
        return choosing.settings(
            model,
            seed=begun if seed is None else seed,
            stop=_stops(stop),
            casing=casing,
            search=search,
            constraint=constraint,
            particles=particles,
            labels=labels,
        )

    if cluster is not None:
        if output is None or prompts or files or lines or as_json or explain or stream or mix:
            raise click.UsageError("--ray goes with -o FOLDER, and with no PROMPT and none of " + _NOT_WITH_RAY)
        _write_folder(model_file, cluster, settings_for, samples, opening, output, resume=resume, quiet=quiet)
        return
    _note_files(prompts)
    with PromptSource(prompts if prompts or files else [""], *files) as source:
        unfinished = Unfinished.read(output) if output and resume else None
        if output and resume and unfinished is None and output.exists():
            say(f"{output} is finished")
            return
        model = opening.load_mixed(model_file, mix)
        settings = settings_for(model, None if unfinished is None else unfinished.settings.get("seed"))
        if not quiet:
            say(f"{model.device} ({model.device_reason}), seed {settings.seed}")
        if explain:
            _explain(model, source, settings, output, as_json=as_json)
        elif stream:
            _stream(model, source, settings, lines=lines)
        else:
            texts = TextOutput(model, source, samples, settings, lines=lines, as_json=as_json)
            _write(texts, output, unfinished, quiet=quiet)


def _check_usage(
    files: tuple[str, ...],
    samples: int,
    output: Path | None,
    *,
    resume: bool,
    lines: bool,
    as_json: bool,
    stream: bool,
    explain: bool,
) -> None:
    """Raise UsageError for options that do not go together."""
    if explain and (stream or resume or lines or samples > 1):
        raise click.UsageError("--explain is for one text of each prompt; it goes with --json and -o only")
    if stream and (samples > 1 or as_json or output):
        raise click.UsageError("--stream prints one text for each prompt; it does not go with -n, -o or --json")
    if resume and output is None:
        raise click.UsageError("--resume goes on with the file of -o; name it")
    if lines and as_json:
        raise click.UsageError("--json carries every line break; it does not go with --lines")
    if len(files) > 1:
        raise click.UsageError("--prompts takes one file; for several use cat FILE… | genrun generate … --prompts -")


def _stops(written: tuple[str, ...]) -> tuple[str, ...]:
    r"""Return the texts of --stop, in which a line break is written ``\n``, as texts are printed."""
    return tuple([text.replace(r"\n", "\n") for text in written])


def _note_files(prompts: tuple[str, ...]) -> None:
    """Print a note for each prompt that is the name of a file."""
    from genrun.cli.io.output import say

    for prompt in filter(os.path.isfile, prompts):
        say(f"note: there is a file {prompt!r}; --prompts {shlex.quote(prompt)} takes its lines as prompts")


def _write(texts: TextOutput, output: Path | None, unfinished: Unfinished | None, *, quiet: bool) -> None:
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.output import say
    from genrun.cli.io.output_file import OutputFile

    writer = OutputFile(output, texts.about(), unfinished, say) if output else LineWriter()
    texts.write(writer, quiet=quiet)


def _write_folder(
    model_file: str,
    cluster: ClusterOptions,
    settings_for: Callable[[Model, int | None], GenerationSettings],
    samples: int,
    opening: OpeningOptions,
    output: Path,
    *,
    resume: bool,
    quiet: bool,
) -> None:
    from genrun.cli.clustering import seed_of, write_folder
    from genrun.cli.io.output import say

    model = replace(opening, device="cpu", threads=1).load(model_file)  # to check; the actors use the device
    settings = settings_for(model, seed_of(output) if resume else None)
    if not quiet:
        say(f"seed {settings.seed}")
    write_folder(model, cluster, settings, samples, opening, output, resume=resume, quiet=quiet)


def _explain(
    model: Model, source: PromptSource, settings: GenerationSettings, output: Path | None, *, as_json: bool
) -> None:
    from genrun.cli.explaining import write_explanations

    write_explanations(model, source, settings, output, as_json=as_json)


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
