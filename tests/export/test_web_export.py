"""A static page with a model: complete or not there, and nothing in it comes from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import genrun
from genrun.errors import ExportError
from genrun_export.cli.export import command
from genrun_export.web_page import find_onnxruntime_web, write_page
from support.alphabet import write_model


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """What stands for the npm package onnxruntime-web."""
    folder = tmp_path / "onnxruntime-web"
    (folder / "dist").mkdir(parents=True)
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (folder / "dist" / name).write_text(name)
    return folder


def test_a_model_file_becomes_a_page(tmp_path: Path, packages: Path) -> None:
    model, page = write_model(tmp_path / "abc.onnx"), tmp_path / "page"
    done = CliRunner().invoke(command, [str(model), "--web", str(page), "--onnxruntime-web", str(packages)])
    assert done.exit_code == 0, done.output
    assert genrun.load(page / "model.onnx", device="cpu").digest == genrun.load(model, device="cpu").digest
    assert json.loads((page / "playground.json").read_text()) == {"backend": "file", "model": "model.onnx"}
    assert {path.name for path in (page / "onnxruntime").iterdir()} == {
        path.name for path in (packages / "dist").iterdir()
    }


def test_every_file_that_the_page_names_is_there(tmp_path: Path, packages: Path) -> None:
    page = tmp_path / "page"
    write_page(page, packages / "dist", lambda path: path.write_bytes(b""))
    named = 0
    for file in [*page.glob("*.js"), *page.glob("genrun/**/*.js")]:
        for name in re.findall(r"""(?:from|import)\s*\(?"(\.[^"]+)\"""", file.read_text("utf-8")):
            assert (file.parent / name).is_file(), f"{file.name}: {name}"
            named += 1
    index = (page / "index.html").read_text("utf-8")
    for name in re.findall(r'(?:src|href)="([^":]+)"', index):
        assert (page / name).is_file(), name
    assert named > 30
    preloaded = re.findall(r'rel="(?:module)?preload" href="([^"]+)"', index)
    assert {"genrun/model.js", "model.onnx", "onnxruntime/ort-wasm-simd-threaded.wasm"} <= set(preloaded)
    assert len(preloaded) == len(set(preloaded))
    assert not re.search(r"https?://", "".join(path.read_text("utf-8") for path in page.glob("*.*")))


def test_a_page_that_fails_is_not_there(tmp_path: Path, packages: Path) -> None:
    def fail(path: Path) -> None:
        raise ExportError("the gate refuses")

    with pytest.raises(ExportError, match="the gate refuses"):
        write_page(tmp_path / "page", packages / "dist", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["onnxruntime-web"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--web", "taken"], "taken is there already and not empty"),
        (["--web", "page", "--onnxruntime-web", "taken"], "taken is not the npm package onnxruntime-web"),
        (["--web", "page", "-o", "other.onnx"], "it goes without -o and --triton"),
        (
            ["--web", "page", "--onnxruntime-web", "onnxruntime-web", "--quantize", "int8"],
            "--quantize are for a run folder",
        ),
        (["--onnxruntime-web", "taken"], "it goes with --web"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, packages: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "abc.onnx")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("")
    done = CliRunner().invoke(command, ["abc.onnx", *arguments])
    assert done.exit_code != 0
    assert message in f"{done.output}{done.exception}"
    assert not (tmp_path / "page").exists()


def test_without_onnxruntime_web_the_error_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("genrun_export.web_page._own_packages", lambda: None)
    with pytest.raises(ExportError, match="npm install onnxruntime-web, or name its folder with --onnxruntime-web"):
        find_onnxruntime_web()
