"""Trying a provider in a process of its own: what works, what does not, and what crashes."""

from __future__ import annotations

import json
import sys
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from genrun.diagnosing.provider_trial import MODEL, Trial, try_provider, understand
from support.distributions import Site

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

# A module that stands for onnxruntime, in the process that is started.
FAKE = """
import sys
__version__ = "9.9"

def get_available_providers():
    return ["CUDAExecutionProvider", "CPUExecutionProvider"]

def preload_dlls():
    print("Failed to load libcudnn.so.9: no such file")

class InferenceSession:
    def __init__(self, model, providers):
        {making}

    def get_providers(self):
        return {providers}

    def disable_fallback(self):
        pass

    def run(self, outputs, feed):
        return [{answer}]
"""
DEFAULTS = {"making": "pass", "providers": '["CUDAExecutionProvider"]', "answer": 'feed["x"]'}


def try_fake(installed: Site, **behaviour: str) -> Trial:
    (installed.folder / "onnxruntime.py").write_text(FAKE.format(**{**DEFAULTS, **behaviour}), "utf-8")
    return try_provider(CUDA)


def test_the_model_of_the_trial_is_what_its_comment_says() -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "x"], ["y"])], "t", [x], [y])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    assert onnx.load_model_from_string(MODEL).SerializeToString() == model.SerializeToString()
    onnx.checker.check_model(model)


def test_a_model_runs_on_the_cpu() -> None:
    trial = try_provider(CPU)
    assert (trial.works, trial.why_not) == (True, "")
    assert CPU in trial.available


def test_a_provider_that_was_not_compiled_in_does_not_work() -> None:
    trial = try_provider("NoSuchExecutionProvider")
    assert not trial.works
    assert trial.why_not.endswith("was compiled without it")
    assert CPU in trial.available


def test_a_provider_that_works_works(installed: Site) -> None:
    trial = try_fake(installed)
    assert (trial.works, trial.why_not, trial.available) == (True, "", (CUDA, CPU))


MISSING = "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: "


@pytest.mark.parametrize(
    ("behaviour", "why_not"),
    [
        ({"providers": '["CPUExecutionProvider"]'}, "Failed to load libcudnn.so.9: no such file"),
        (
            {
                "making": f"print({MISSING!r} 'cannot open shared object file: No such file', file=sys.stderr)",
                "providers": '["CPUExecutionProvider"]',
            },
            "libcublasLt.so.13 is missing",
        ),
        ({"answer": 'feed["x"] + 1'}, "it computed a wrong result"),
        ({"making": "import os; os.kill(os.getpid(), 9)"}, "the process crashed (signal 9)"),
        ({"making": "import os; os._exit(3)"}, "the process crashed (exit status 3)"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot kill itself by a signal there")
def test_a_provider_that_does_not_work_says_why(installed: Site, behaviour: dict[str, str], why_not: str) -> None:
    trial = try_fake(installed, **behaviour)
    assert not trial.works
    assert trial.why_not.startswith(why_not)


def test_a_module_that_is_not_whole_says_so(installed: Site) -> None:
    (installed.folder / "onnxruntime.py").write_text("", "utf-8")
    assert try_provider(CPU).why_not == "module 'onnxruntime' has no attribute 'InferenceSession'"


def test_a_process_that_does_not_answer_is_not_waited_for() -> None:
    assert try_provider(CPU, seconds=0) == Trial(False, "it did not answer within 0 seconds")


def test_a_python_that_cannot_be_started_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    trial = try_provider(CPU)
    assert not trial.works
    assert trial.why_not.startswith("Python could not be started: ")


def report(**fields: Any) -> str:
    return json.dumps({"works": False, "why_not": "", "available": [], "driver": "", **fields})


@pytest.mark.parametrize(
    ("stderr", "why_not"),
    [
        (
            "[E:onnxruntime:Default, provider_bridge_ort.cc:1992 TryGetProviderInfo_CUDA] onnxruntime::Provider& "
            "[ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: "
            "libcublasLt.so.12: cannot open shared object file: No such file or directory\n"
            "[W:onnxruntime:Default, pybind_state.cc:965] Failed to create CUDAExecutionProvider.\n",
            "libcublasLt.so.12 is missing",
        ),
        (
            'Error loading "C:\\providers_cuda.dll" which depends on "cublasLt64_13.dll" which is missing.',
            "cublasLt64_13.dll is missing",
        ),
        (
            "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=h ;",
            "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
        ),
        ("\x1b[33msomething  else\x1b[0m\n****\n", "something else"),
        ("word " * 1000, "word"),
        ("", "onnxruntime did not start it, and does not say why"),
    ],
)
def test_the_cause_is_found_in_what_is_printed(stderr: str, why_not: str) -> None:
    trial = understand(0, f"\n{report()}\n", stderr)
    assert trial.why_not.startswith(why_not)
    assert len(trial.why_not) <= 300
    assert "\n" not in trial.why_not


@pytest.mark.parametrize(
    ("raised", "why_not"),
    [
        ("no kernel image is available", "no kernel image is available"),
        (
            "… CUDA failure 100: no CUDA-capable device is detected",
            "CUDA failure 100: no CUDA-capable device is detected",
        ),
    ],
)
def test_what_is_raised_counts_more_than_the_last_line(raised: str, why_not: str) -> None:
    assert understand(0, f"\n{report(why_not=raised)}\n", "[W] something else\n").why_not == why_not


def test_what_is_printed_beside_the_report_does_no_harm() -> None:
    printed = "welcome\n{}\n" + report(works=True, available=[CUDA], driver="13.0") + "\n"
    assert understand(-11, printed, "[W] a warning") == Trial(True, "", (CUDA,), "13.0")


def test_a_crash_says_what_was_printed_before() -> None:
    assert understand(-6, "\n", "free(): invalid pointer\n").why_not == (
        "the process crashed (signal 6): free(): invalid pointer"
    )
