"""``genrun export``."""

from __future__ import annotations

from functools import partial
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
    help="Add it to a model repository of NVIDIA Triton; RUN may be a model file.",
)
@click.option(
    "--web",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a web page that runs the model, to a new folder; RUN may be a model file.",
)
@click.option(
    "--onnxruntime-web",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --web: the folder of the npm package. [default: node_modules/onnxruntime-web]",
)
def command(
    run: Path,
    output: Path | None,
    quantize: str | None,
    triton: Path | None,
    web: Path | None,
    onnxruntime_web: Path | None,
) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras.

    A quantized file is checked as well: its perplexity is within 1 % of what it was.
    """
    if web is not None and (output, triton) != (None, None):
        raise click.UsageError("--web writes the model into the folder of the page: it goes without -o and --triton")
    if web is None and onnxruntime_web is not None:
        raise click.UsageError("--onnxruntime-web is for a web page: it goes with --web")
    if run.is_file() and (web, triton) != (None, None) and (output, quantize) != (None, None):
        raise click.UsageError(f"{run} is a model file already: -o and --quantize are for a run folder")
    from genrun.cli.io.output import show
    from genrun.errors import ExportError
    from genrun_core.backend import spare_memory
    from genrun_core.cli.going_on import say_next
    from genrun_core.runs.naming import default_model_file
    from genrun_export.cli.destinations import add_to_triton, export_page

    spare_memory()
    if web is not None:
        write = None if run.is_file() else partial(export_and_say, run, quantize=quantize)
        export_page(run, web, onnxruntime_web, write)
        return
    if triton is not None and run.is_file():
        add_to_triton(run, triton)
        return
    if output is None:
        output = default_model_file(run)
        if output.exists():
            raise ExportError(f"{output} exists already: -o {output} replaces it, or choose another name with -o")
    export_and_say(run, output, quantize)
    show(str(output))
    if triton is not None:
        add_to_triton(output, triton)
        return
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
