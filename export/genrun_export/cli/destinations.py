"""Where else an export goes: a web page, a repository of NVIDIA Triton."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

__all__ = ["add_to_triton", "export_page"]


def add_to_triton(model_file: Path, repository: Path) -> None:
    """Add a model file to a repository, and print the folder of its version."""
    from genrun.checks.optional_package import optional_package
    from genrun.cli.io.output import say, show

    optional_package("onnx", "exporting", "train")
    from genrun_export.triton import export_triton

    made = export_triton(model_file, repository)
    show(str(made.folder / str(made.version)))
    if made.temperature is None:
        say("note: the decoder of this model is not in its graph: Triton draws from all tokens")


def export_page(
    run: Path, folder: Path, onnxruntime_web: Path | None, write: Callable[[Path], object] | None
) -> None:
    """Write a web page, and print its folder.

    ``write`` writes the model file of ``run``; None if ``run`` is a model file itself.
    """
    import genrun
    from genrun.cli.io.output import say, show
    from genrun_core.cli.going_on import say_next
    from genrun_export.web_page import check_folder, find_onnxruntime_web, write_page

    check_folder(folder)
    packages = find_onnxruntime_web(onnxruntime_web)
    if write is None:
        genrun.load(run, device="cpu")  # a page for a file that is no model would only fail in the browser
        write = partial(shutil.copyfile, run)
    size = write_page(folder, packages, write)
    say(f"{size:,} bytes beside the model; put the folder on any web host")
    show(str(folder))
    say_next("python", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder)
