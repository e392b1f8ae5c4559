"""An onnxruntime that is not installed, or not whole: one line, and what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import genrun
from genrun.checks.installation import pip_line, requirement
from genrun.errors import DeviceError, MissingExtraError
from support.distributions import Site


def test_without_onnxruntime_the_pip_lines_are_given(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError) as caught:
        genrun.load(alphabet_file)
    assert str(caught.value) == f"running a model needs onnxruntime: {pip_line('cpu')} (or {requirement('gpu')})"
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "module 'onnxruntime' has no attribute 'InferenceSession'"),  # what removing one of two wheels leaves
        ("import nothere", "No module named 'nothere'"),
        ("raise OSError('libfoo.so.1: cannot open')", "libfoo.so.1: cannot open"),
    ],
)
def test_an_onnxruntime_that_is_not_whole_is_an_error(
    monkeypatch: pytest.MonkeyPatch, installed: Site, alphabet_file: Path, source: str, why: str
) -> None:
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    (installed.folder / "onnxruntime.py").write_text(source, "utf-8")
    with pytest.raises(DeviceError) as caught:
        genrun.load(alphabet_file)
    assert str(caught.value) == f"onnxruntime cannot be imported: {why}; genrun doctor says what to do"
