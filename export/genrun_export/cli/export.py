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
@click.option("--web", type=click.Path(path_type=Path), help="Write a web page that runs the model, to a new folder.")
@click.option(
    "--onnxruntime-web",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --web: the folder of the npm package. [default: node_modules/onnxruntime-web]",
)
def command(
    run: Path, output: Path | None, quantize: str | None, web: Path | None, onnxruntime_web: Path | None
) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras.

    A quantized file is checked as well: its perplexity is within 1 % of what it was. With --web, RUN may also be a
    model file.
    """
    from genrun.cli.io.output import show
    from genrun.errors import ExportError
    from genrun_core.cli.going_on import say_next
    from genrun_core.runs.naming import default_model_file

    if web is not None:
        if output is not None:
            raise ExportError("--web writes the model into the folder of the page; give it or -o")
        export_page(run, web, quantize, onnxruntime_web)
        return
    if onnxruntime_web is not None:
        raise ExportError("--onnxruntime-web is for a web page: it goes with --web")
    if output is None:
        output = default_model_file(run)
        if output.exists():
            raise ExportError(f"{output} exists already: -o {output} replaces it, or choose another name with -o")
    export_and_say(run, output, quantize)
    show(str(output))
    say_next("genrun", "generate", output)


def export_page(run: Path, folder: Path, quantize: str | None, onnxruntime_web: Path | None) -> None:
    """Write a web page for a run folder or a model file, and print its folder."""
    from functools import partial

    import genrun
    from genrun.cli.io.output import say, show
    from genrun.errors import ExportError
    from genrun_core.cli.going_on import say_next
    from genrun_export.web_page import check_folder, find_onnxruntime_web, write_page

    check_folder(folder)
    packages = find_onnxruntime_web(onnxruntime_web)
    if run.is_file():
        if quantize:
            raise ExportError("a model file cannot be quantized: export its run folder")
        genrun.load(run, device="cpu")  # a page for a file that is no model would only fail in the browser
        size = write_page(folder, packages, partial(_copy, run))
    else:
        size = write_page(folder, packages, partial(export_and_say, run, quantize=quantize))
    say(f"{size:,} bytes beside the model; put the folder on any web host")
    show(str(folder))
    say_next("python", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder)


def _copy(source: Path, target: Path) -> None:
    import shutil

    shutil.copyfile(source, target)


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
