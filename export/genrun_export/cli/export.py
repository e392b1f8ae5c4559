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
def command(run: Path, output: Path | None, quantize: str | None) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras.

    A quantized file is checked as well: its perplexity is within 1 % of what it was.
    """
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
    say_next("genrun", "generate", output)


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
