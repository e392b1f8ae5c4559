"""A static web page that runs a model file in the browser: page, JavaScript runtime, onnxruntime-web and model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from genrun.errors import ExportError
from genrun_core.runs.atomic import scratch_folder

__all__ = ["check_folder", "find_onnxruntime_web", "write_page"]

_MODEL = "model.onnx"
_PACKAGE = "onnxruntime-web"
# What a page needs of the npm package: the module for the CPU, and the WebAssembly that it loads.
_ONNXRUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_PARTS = {"src": "genrun", "playground": ""}  # folders of genrun_web, and where they go


def check_folder(folder: Path) -> None:
    """Raise ExportError if a page cannot be written to ``folder``: it must be new, or empty."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ExportError(f"{folder} is there already and not empty: a page is written to a new folder")


def find_onnxruntime_web(given: Path | None = None) -> Path:
    """Return the folder with the files of onnxruntime-web; raises ExportError, which says where they come from.

    ``given``: the folder of the npm package, or the one of its files. None looks in ``node_modules`` of the current
    folder, and of genrun's own clone.
    """
    installed = [Path("node_modules"), *([own] if (own := _own_packages()) else [])]
    places = [given] if given is not None else [folder / _PACKAGE for folder in installed]
    for place in places:
        for folder in (place / "dist", place):
            if all((folder / name).is_file() for name in _ONNXRUNTIME):
                return folder
    if given is not None:
        raise ExportError(f"{given} is not the npm package {_PACKAGE}: it has no {_ONNXRUNTIME[0]}")
    how = f"type npm install {_PACKAGE}, or name its folder with --onnxruntime-web"
    raise ExportError(f"a web page needs the npm package {_PACKAGE}, which is not here: {how}")


def write_page(folder: Path, onnxruntime_web: Path, write_model: Callable[[Path], object]) -> int:
    """Write a page to ``folder`` and return its size without the model, in bytes.

    ``onnxruntime_web`` is what :func:`find_onnxruntime_web` returns; ``write_model`` writes the model file to a path.
    The folder is complete, or not there. Raises ExportError as :func:`check_folder` does, or OSError.
    """
    check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder) as beside:
        sources = resources.files("genrun_web")
        for part, target in _PARTS.items():
            _copy(sources / part, beside / target)
        (beside / "playground.json").write_text(json.dumps({"backend": "file", "model": _MODEL}) + "\n", "utf-8")
        (beside / "onnxruntime").mkdir()
        for name in _ONNXRUNTIME:
            shutil.copyfile(onnxruntime_web / name, beside / "onnxruntime" / name)
        _preload(beside)
        size = sum(path.stat().st_size for path in beside.rglob("*") if path.is_file())
        write_model(beside / _MODEL)
        if folder.exists():
            folder.rmdir()  # empty
        beside.rename(folder)
    return size


def _preload(folder: Path) -> None:
    """Name the files of a page at its top: a browser loads them at once, not each when another one asks for it."""
    page = folder / "index.html"
    modules = [*folder.glob("*.js"), *folder.glob("genrun/**/*.js"), *folder.glob("onnxruntime/*.mjs")]
    links = [f'<link rel="modulepreload" href="{_address(path, folder)}">' for path in sorted(modules)]
    fetched = [_MODEL, *[_address(path, folder) for path in folder.glob("onnxruntime/*.wasm")], "playground.json"]
    links += [f'<link rel="preload" href="{address}" as="fetch" crossorigin>' for address in fetched]
    head, script, rest = page.read_text("utf-8").partition('  <script type="module"')
    page.write_text(head + "".join(f"  {link}\n" for link in links) + script + rest, "utf-8")


def _address(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _copy(source: Traversable, target: Path) -> None:
    """Copy a folder of the package: a file of a wheel need not be one of the disk."""
    target.mkdir(exist_ok=True)
    for part in source.iterdir():
        if part.is_dir():
            _copy(part, target / part.name)
        elif not part.name.endswith(".d.ts"):
            (target / part.name).write_bytes(part.read_bytes())


def _own_packages() -> Path | None:
    """Return the ``node_modules`` beside the JavaScript runtime, as a clone may have it."""
    folder = resources.files("genrun_web") / "node_modules"
    return folder if isinstance(folder, Path) and folder.is_dir() else None
