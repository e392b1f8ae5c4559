"""``genrun export``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command", "export_and_say"]


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The model file. [default: RUN.onnx, if new]")
@click.option(
    "--quantize",
    type=click.Choice(["int8", "fp16"], case_sensitive=False),
    help="Smaller numbers: int8 is for CPUs, a quarter of the size and faster; fp16 is for GPUs, half the size.",
)
@click.option(
    "--triton",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Add it to a model repository of NVIDIA Triton; RUN may be a model file then.",
)
def command(run: Path, output: Path | None, quantize: str | None, triton: Path | None) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras.

    A quantized file is checked as well: its perplexity is within 1 % of what it was.
    """
    if triton is not None and run.is_file():
        if output is not None or quantize is not None:
            raise click.UsageError(f"{run} is a model file already: -o and --quantize are for a run folder")
        _add_to_triton(run, triton)
        return
    from genrun.cli.io.output import show
    from genrun.errors import ExportError
    from genrun_core.cli.going_on import say_next
    from genrun_core.runs.naming import default_model_file

    if output is None:
        output = default_model_file(run)
        if output.exists():
            raise ExportError(f"{output} exists already: -o {output} replaces it, or choose another name with -o")
    export_and_say(run, output, quantize)
    show(str(output))
    if triton is not None:
        _add_to_triton(output, triton)
        return
    say_next("genrun", "generate", output)


def _add_to_triton(model_file: Path, repository: Path) -> None:
    from genrun.checks.optional_package import optional_package
    from genrun.cli.io.output import say, show

    optional_package("onnx", "exporting", "train")
    from genrun_export.triton import export_triton

    made = export_triton(model_file, repository)
    show(str(made.folder / str(made.version)))
    if made.temperature is None:
        say("note: the decoder of this model is not in its graph: Triton draws from all tokens")


def export_and_say(run: Path, output: Path, quantize: str | None) -> None:
    """Export, show how far it is, and print on stderr what the gates measured."""
    from genrun.cli.io.output import say
    from genrun.cli.io.stages import Stages
    from genrun_export.exporting import export

    with Stages("exporting") as stages:
        figures = export(run, output, quantize, stage=stages.begin)
    say(str(figures.parity))
    if figures.mixture is not None:
        say(str(figures.mixture))
    if (quantization := figures.quantization) is not None:
        former = quantization.float32_bytes
        say(f"{quantization}; {figures.bytes:,} bytes of {former:,}, ratio {figures.bytes / former:.3f}")
    if not figures.finished:
        say(f"note: the training of {run} is not finished: genrun train --resume {run}")
