"""Which device a model file is opened on: what is asked for is used or is an error, and what is used is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

import genrun
from genrun.checks.installation import pip_line
from genrun.errors import DeviceError, GenrunError, ModelFileError, OptionError
from genrun.generating.stepping.session import StepSession
from genrun.loading.device import DeviceWarning, open_session
from genrun.loading.onnxruntime_wheels import installed_wheels
from genrun.loading.opening import MappedFile
from genrun.loading.startup_failures import preload_libraries
from support.distributions import Site
from support.fake_onnxruntime import CPU, CUDA, TENSORRT, fake_onnxruntime

ACCEPTED = f"accepted: auto, cpu, cuda, or a list of onnxruntime's providers such as {CUDA},{CPU}"


def refusal(path: Path, error: type[GenrunError], **how: Any) -> str:
    with pytest.raises(error) as caught:
        genrun.load(path, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def cpu_wheel(installed: Site) -> Site:
    """Nothing installed but onnxruntime for CPUs."""
    installed.hide_others()
    installed.install("onnxruntime", version="9.9")
    return installed


@pytest.fixture
def gpu_wheel(installed: Site) -> Site:
    """Nothing installed but onnxruntime for GPUs."""
    installed.hide_others()
    installed.install("onnxruntime-gpu", version="9.9")
    return installed


@pytest.mark.parametrize("device", ["gpu", "", "CUDA", "cuda:0", "cpu,cuda", None, 3, [], [3], b"cpu", {"cuda": 0}])
def test_what_is_no_device_is_told_what_is(alphabet_file: Path, device: Any) -> None:
    assert refusal(alphabet_file, OptionError, device=device) == f"unknown device {device!r}; {ACCEPTED}"


@pytest.mark.parametrize("threads", [0, -1, 1025, 2**40, 1.5, "2", True])
def test_threads_are_a_sensible_number(alphabet_file: Path, threads: Any) -> None:
    message = refusal(alphabet_file, OptionError, threads=threads)
    assert message == f"threads must be a whole number from 1 to 1,024, not {threads!r}"


def test_the_device_in_use_is_reported(alphabet_file: Path) -> None:
    model = genrun.load(alphabet_file, device="cpu", threads=2)
    assert (model.device, model.device_reason, model.path) == ("cpu", "asked for", alphabet_file)
    assert model.providers == (CPU,)
    assert model.generate("a") == "abcdef"


@pytest.mark.parametrize(("asked", "threads", "lanes"), [(None, 1, 5), (1, 1, 1), (3, 3, 3)])
def test_a_small_model_has_its_threads_for_several_steps_and_for_one_if_asked_for(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path, asked: int | None, threads: int, lanes: int
) -> None:
    fake_onnxruntime(monkeypatch)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(5)), raising=False)
    opened: Any = open_session(alphabet_file, "cpu", asked)
    assert (opened.session.threads, opened.lanes) == (threads, lanes)
    assert (opened.narrow or opened.session).threads == 1


@pytest.mark.parametrize(("asked", "threads"), [(None, 0), (1, 1), (3, 3)])  # onnxruntime has all cores with 0
def test_a_large_model_has_its_threads_for_each_step(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path, asked: int | None, threads: int
) -> None:
    fake_onnxruntime(monkeypatch)
    monkeypatch.setattr("genrun.loading.device._SMALL_BYTES", alphabet_file.stat().st_size)
    opened: Any = open_session(alphabet_file, "cpu", asked)
    assert (opened.session.threads, opened.lanes) == (threads, 1)


WITHOUT = "the installed onnxruntime 9.9 is without CUDA"
NOT_STARTED = "CUDA could not start (no GPU, or CUDA or cuDNN libraries are missing)"


@pytest.mark.parametrize("device", ["cuda", [CUDA, CPU], (CUDA,), f"{CUDA},{CPU}", f" {CUDA} , {CPU} "])
@pytest.mark.usefixtures("cpu_wheel")
def test_cuda_without_a_build_for_it_is_an_error_that_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path, device: Any
) -> None:
    fake_onnxruntime(monkeypatch, compiled_in=())
    assert refusal(alphabet_file, DeviceError, device=device) == (
        f"device {device!r} cannot be used: {WITHOUT}; pip uninstall -y onnxruntime && {pip_line('gpu')}"
    )


def test_both_wheels_are_the_reason_where_there_are_both(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path, cpu_wheel: Site
) -> None:
    cpu_wheel.install("onnxruntime-gpu", version="9.8")
    assert installed_wheels() == {"onnxruntime": "9.9", "onnxruntime-gpu": "9.8"}
    fake_onnxruntime(monkeypatch, compiled_in=())
    why = "onnxruntime and onnxruntime-gpu are both installed and overwrite each other"
    remedy = f"pip uninstall -y onnxruntime onnxruntime-gpu && {pip_line('gpu')}"
    message = refusal(alphabet_file, DeviceError, device="cuda")
    assert message == f"device 'cuda' cannot be used: {why}; {remedy}"
    session = StepSession(MappedFile(alphabet_file))
    assert (session.device, session.device_reason, session.fell_back) == ("cpu", why, True)


@pytest.mark.usefixtures("gpu_wheel")
def test_cuda_that_does_not_start_is_an_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch)
    for device in ("cuda", [CUDA], [CPU, CUDA]):
        message = refusal(alphabet_file, DeviceError, device=device)
        assert message == f"device {device!r} cannot be used: {NOT_STARTED}; genrun doctor says what to do"


@pytest.mark.usefixtures("gpu_wheel")
def test_auto_that_falls_back_warns_where_the_call_stands(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch)
    with pytest.warns(DeviceWarning) as caught:
        model = genrun.load(alphabet_file)
    [warning] = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        f"the model runs on the CPU although onnxruntime-gpu is installed: {NOT_STARTED}; "
        "genrun doctor says what to do"
    )
    assert (model.device, model.device_reason, model.providers) == ("cpu", NOT_STARTED, (CPU,))


@pytest.mark.usefixtures("cpu_wheel")
def test_auto_on_a_build_for_cpus_has_nothing_to_warn_of(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch, compiled_in=())
    model = genrun.load(alphabet_file)  # a warning would be an error
    assert (model.device, model.device_reason) == ("cpu", WITHOUT)


def test_cuda_that_works_is_used(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    fake_onnxruntime(monkeypatch, works=(CUDA,))
    for device, used, providers, reason in (
        ("cuda", "cuda", (CUDA, CPU), "asked for"),
        ([CUDA], "cuda", (CUDA, CPU), "asked for"),
        ("auto", "cuda", (CUDA, CPU), "a GPU is available"),
        ("cpu", "cpu", (CPU,), "asked for"),
    ):
        model = genrun.load(alphabet_file, device=device)
        assert (model.device, model.providers, model.device_reason) == (used, providers, reason)


def test_another_provider_goes_by_its_name(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    fake_onnxruntime(monkeypatch, compiled_in=(TENSORRT, CUDA), works=(TENSORRT, CUDA))
    model = genrun.load(alphabet_file, device=[TENSORRT, CUDA])
    assert (model.device, model.providers) == (TENSORRT, (TENSORRT, CUDA, CPU))


def test_every_provider_that_is_named_must_start(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    fake_onnxruntime(monkeypatch, compiled_in=(TENSORRT, CUDA), works=(TENSORRT,))
    assert NOT_STARTED in refusal(alphabet_file, DeviceError, device=[TENSORRT, CUDA])
    fake_onnxruntime(monkeypatch, compiled_in=(TENSORRT, CUDA), works=(CUDA,))
    message = refusal(alphabet_file, DeviceError, device=[TENSORRT, CUDA])
    assert f"{TENSORRT} could not start (what it needs is missing here)" in message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CUDAExecutionProvidr", f"did you mean {CUDA!r}?"),
        ("cudaexecutionprovider", f"did you mean {CUDA!r}?"),
        ("NoSuchExecutionProvider", f"accepted: {CPU}"),
        ("cuda", f"accepted: {CPU}"),
    ],
)
def test_a_provider_that_does_not_exist_is_told_the_nearest(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path, name: str, hint: str
) -> None:
    fake_onnxruntime(monkeypatch, compiled_in=())
    message = refusal(alphabet_file, OptionError, device=[name, CPU])
    assert message == f"unknown execution provider {name!r}; {hint}"


def test_a_provider_of_another_build_is_told_what_this_one_has(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch)
    assert refusal(alphabet_file, DeviceError, device=f"{TENSORRT},{CPU}") == (
        f"device '{TENSORRT},{CPU}' cannot be used: the installed onnxruntime 9.9 is without {TENSORRT}; "
        f"it has {CUDA}, {CPU}"
    )


def test_a_provider_that_is_named_twice_is_refused(alphabet_file: Path) -> None:
    assert (
        refusal(alphabet_file, OptionError, device=[CPU, CPU]) == f"device [{CPU!r}, {CPU!r}] names a provider twice"
    )


def test_onnxruntime_itself_must_not_fall_back_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch, works=(CUDA,))
    for device in ("cuda", "auto", "cpu"):
        opened: Any = open_session(alphabet_file, device, None)
        assert not opened.session.may_fall_back


def test_a_file_that_is_to_blame_is_blamed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x08not a model")
    fake_onnxruntime(monkeypatch, works=(CUDA,))
    assert refusal(path, ModelFileError, device="cuda").startswith(f"{path} is not a readable ONNX model: ")


NO_DEVICE = "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; host=x"
LIBRARY = "libcublasLt.so.13: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (NO_DEVICE, "CUDA failure 100: no CUDA-capable device is detected"),
        (f"Failed to load libcublasLt.so.13: {LIBRARY}\n and much more", "libcublasLt.so.13 is missing"),
        ("[ONNXRuntimeError] : 1 : FAIL : no\n driver", "no driver"),
    ],
)
@pytest.mark.usefixtures("gpu_wheel")
def test_a_cuda_session_that_cannot_be_made_is_a_reason_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], alphabet_file: Path, fails: str, why: str
) -> None:
    fake_onnxruntime(monkeypatch, fails=fails)
    session = StepSession(MappedFile(alphabet_file))
    assert (session.device, session.device_reason) == ("cpu", f"CUDA could not start ({why})")
    message = refusal(alphabet_file, DeviceError, device="cuda")
    assert message == f"device 'cuda' cannot be used: CUDA could not start ({why}); genrun doctor says what to do"
    assert capfd.readouterr() == ("", "")


def test_what_preloading_prints_is_the_reason_and_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], alphabet_file: Path
) -> None:
    fake_onnxruntime(monkeypatch, preloads=True)
    printed = "Failed to load /lib/libcudnn.so.9: no such file"
    assert StepSession(MappedFile(alphabet_file)).device_reason == f"CUDA could not start ({printed})"
    fake_onnxruntime(monkeypatch, works=(CUDA,), preloads=True)
    assert StepSession(MappedFile(alphabet_file)).device == "cuda"
    assert capsys.readouterr().out == ""


def test_the_preloading_of_the_installed_onnxruntime_can_be_called_without_its_print(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert isinstance(preload_libraries(onnxruntime), str)
    assert capsys.readouterr().out == ""


def test_a_long_reason_is_cut(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    fake_onnxruntime(monkeypatch, fails="word " * 1000)
    assert len(StepSession(MappedFile(alphabet_file)).device_reason) < 350


def test_cuda_computes_with_all_bits(monkeypatch: pytest.MonkeyPatch, alphabet_file: Path) -> None:
    fake_onnxruntime(monkeypatch, works=(CUDA,))
    opened: Any = open_session(alphabet_file, "cuda", None)
    assert opened.session.options == {CUDA: {"use_tf32": "0"}}
