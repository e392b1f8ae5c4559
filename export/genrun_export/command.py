"""``genrun export``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The model file to write.")
@click.option(
    "--quantize",
    type=click.Choice(["int8", "fp16"], case_sensitive=False),
    help="Smaller numbers: int8 is for CPUs, a quarter of the size and faster; fp16 is for GPUs, half the size.",
)
def command(run: Path, output: Path, quantize: str | None) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras.

    A quantized file is checked as well: its perplexity is within 1 % of what it was.
    """
    from genrun.cli.io.output import say, show
    from genrun_export.exporting import export

    figures = export(run, output, quantize)
    say(str(figures.parity))
    if figures.mixture is not None:
        say(str(figures.mixture))
    if (quantization := figures.quantization) is not None:
        former = quantization.float32_bytes
        say(f"{quantization}; {figures.bytes:,} bytes of {former:,}, ratio {figures.bytes / former:.3f}")
    if not figures.finished:
        say(f"note: the training of {run} is not finished: genrun train --resume {run}")
    show(str(output))
