"""What the doctor looks at: which packages are installed, and which they need, read from their metadata."""

from __future__ import annotations

import sys

import pytest

from genrun.diagnosing.machine import Machine
from support.distributions import Site


def test_the_wheels_are_read_from_package_metadata(installed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    installed.hide_others()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if no module could be found either
    assert (Machine().wheels, Machine().has_module) == ({}, False)
    installed.install("onnxruntime", version="9.9")
    assert Machine().wheels == {"onnxruntime": "9.9"}
    installed.install("onnxruntime_gpu", version="9.8")
    assert Machine().wheels == {"onnxruntime": "9.9", "onnxruntime-gpu": "9.8"}


@pytest.mark.parametrize(
    ("requires", "needed"),
    [
        (  # 1.26
            ["nvidia-cuda-runtime-cu12~=12.0; extra == 'cuda'", 'nvidia-cudnn-cu12~=9.0; extra == "cudnn"'],
            {"nvidia-cuda-runtime-cu12": 12, "nvidia-cudnn-cu12": 9},
        ),
        (  # 1.31
            ["numpy>=1.21.6", 'nvidia-cuda-runtime~=13.0; extra == "cuda"', 'nvidia-cufft~=12.0; extra == "cuda"'],
            {"nvidia-cuda-runtime": 13, "nvidia-cufft": 12},
        ),
        (['sympy; extra == "symbolic"', "nvidia-cuda-runtime"], {}),
    ],
)
def test_what_onnxruntime_needs_is_read_from_its_own_metadata(
    installed: Site, requires: list[str], needed: dict[str, int]
) -> None:
    installed.hide_others()
    assert Machine().needed == {}
    installed.install("onnxruntime_gpu", requires=requires)
    assert Machine().needed == needed


def test_the_libraries_are_read_from_package_metadata(installed: Site) -> None:
    installed.hide_others()
    installed.install("nvidia_cudnn_cu13", version="9.20.0")
    installed.install("numpy", version="9")
    (installed.folder / "remains-1.0.dist-info").mkdir()  # of a package that was removed
    assert Machine().libraries == {"nvidia-cudnn-cu13": "9.20.0"}


def test_extras_are_read_from_the_metadata_of_genrun(installed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(installed.folder)])
    assert Machine().extras == {}  # genrun is not installed, only imported
    requires = ["click", 'Uvicorn>=1; extra == "serve"', "ray[data]>=2; extra == 'ray'", 'mypy; extra == "test"']
    installed.install("genrun", requires=requires)
    installed.install("uvicorn", version="9.9")
    assert Machine().extras == {"serve": {"Uvicorn": "9.9"}, "ray": {"ray": None}}
