"""The doctor: each thing that can be wrong is found, and what to type is said; nothing that is wrong stops it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from genrun.checks.installation import pip_line, requirement
from genrun.diagnosing import doctor
from genrun.diagnosing.doctor import Finding, Machine, diagnose
from genrun.diagnosing.provider_trial import Trial
from support.distributions import DECODER, Site

CUDA_13 = {"nvidia-cuda-runtime": 13, "nvidia-cudnn-cu13": 9}
INSTALL_GPU = "pip install 'onnxruntime-gpu[cuda,cudnn]'"
TO_CPU = f"pip uninstall -y onnxruntime-gpu && {pip_line('cpu')}"


def machine(**facts: Any) -> Machine:
    """A machine on which onnxruntime for CPUs works, but for the given facts."""
    made = Machine()
    made.__dict__.update(
        wheels={"onnxruntime": "9.9"},
        has_module=True,
        libraries={},
        extras={},
        needed={},
        cpu=Trial(True, available=("CPUExecutionProvider",)),
        cuda=Trial(False, "onnxruntime 9.9 was compiled without it"),
    )
    made.__dict__.update(facts)
    return made


def gpu_machine(trial: Trial, **facts: Any) -> Machine:
    """A machine with onnxruntime for GPUs and the libraries that it names."""
    libraries = {"nvidia-cuda-runtime": "13.1.80", "nvidia-cudnn-cu13": "9.20.0"}
    fitted = {"wheels": {"onnxruntime-gpu": "9.9"}, "needed": CUDA_13, "libraries": libraries, "cuda": trial}
    return machine(**{**fitted, **facts})


def wrong(examined: Machine) -> list[Finding]:
    """Return what is not in order, the note on training aside, which not everybody installs."""
    training = ("tensorflow", "tf2onnx")
    return [finding for finding in diagnose(examined) if finding.level != "ok" and finding.about not in training]


def test_nothing_is_wrong_with_a_machine_that_works() -> None:
    assert wrong(machine()) == []
    assert wrong(gpu_machine(Trial(True, driver="13.0"))) == []


def test_each_extra_is_installed_as_a_whole_or_named_with_what_to_type() -> None:
    some = {"serve": {"starlette": "1.0", "uvicorn": "0.9"}, "ray": {"ray": None, "pyarrow": "9"}}
    found = [finding for finding in diagnose(machine(extras=some)) if finding.about in ("serve", "ray", "extras")]
    message = "not installed, and not needed to generate: ray"
    assert found == [
        Finding("ok", "serve", "starlette 1.0, uvicorn 0.9"),
        Finding("note", "extras", message, pip_line("ray")),
    ]
    two = {"spark": {"pyspark": None}, "beam": {"apache-beam": None}}
    [finding] = wrong(machine(extras=two))
    assert finding.remedy == f"{pip_line('spark,beam')}  (or some of them)"


def test_without_a_wheel_no_model_can_be_run() -> None:
    assert wrong(machine(wheels={}, has_module=False)) == [
        Finding(
            "problem",
            "onnxruntime",
            "not installed, so no model can be run",
            f"{pip_line('cpu')}  (or {requirement('gpu')}, with an NVIDIA GPU)",
        )
    ]


def test_a_module_without_a_wheel_is_worth_knowing() -> None:
    assert wrong(machine(wheels={})) == [
        Finding("note", "onnxruntime", "the module is there, but no wheel of it that genrun knows")
    ]


def test_two_wheels_overwrite_each_other() -> None:
    wheels = {"onnxruntime": "9.9", "onnxruntime-gpu": "9.8"}
    [finding] = wrong(machine(wheels=wheels, cuda=Trial(False, driver="13.0")))
    assert (finding.level, finding.about) == ("problem", "onnxruntime")
    assert finding.message == "onnxruntime 9.9 and onnxruntime-gpu 9.8 are installed and overwrite each other"
    assert finding.remedy == (
        f"pip uninstall -y onnxruntime onnxruntime-gpu && {pip_line('gpu')}  (or {requirement('cpu')}, without a GPU)"
    )


def test_a_module_that_is_not_whole_is_installed_again() -> None:
    """What removing one of two wheels leaves behind."""
    why_not = "module 'onnxruntime' has no attribute 'InferenceSession'"
    assert wrong(machine(cpu=Trial(False, why_not))) == [
        Finding(
            "problem",
            "cpu",
            f"onnxruntime runs no model: {why_not}",
            f"pip uninstall -y onnxruntime && {pip_line('cpu')}",
        )
    ]


def test_nothing_is_said_of_cuda_while_onnxruntime_itself_is_broken() -> None:
    broken = Trial(False, "No module named 'onnxruntime'")
    [finding] = wrong(gpu_machine(broken, cpu=broken, has_module=False, libraries={}))
    assert (finding.level, finding.about) == ("problem", "cpu")
    assert finding.remedy == f"pip uninstall -y onnxruntime-gpu && {pip_line('gpu')}"


def test_a_gpu_that_lies_idle_is_worth_knowing() -> None:
    assert wrong(machine(cpu=Trial(True, driver="12.4"))) == [
        Finding(
            "note",
            "cuda",
            "there is an NVIDIA driver (CUDA 12.4), but onnxruntime is the one for CPUs",
            f"pip uninstall -y onnxruntime && {pip_line('gpu')}",
        )
    ]


def test_a_gpu_needs_a_driver() -> None:
    assert wrong(gpu_machine(Trial(False, "CUDA failure 100: no device"))) == [
        Finding(
            "problem",
            "cuda",
            "no NVIDIA driver is found, and CUDA could not start: CUDA failure 100: no device",
            f"install the NVIDIA driver, or, without a GPU: {TO_CPU}",
        )
    ]


def test_the_driver_must_be_new_enough() -> None:
    [finding] = wrong(gpu_machine(Trial(False, "CUDA failure 35: …", driver="12.4")))
    assert finding.message == "the NVIDIA driver is for CUDA up to 12.4, and onnxruntime-gpu needs CUDA 13"
    assert finding.remedy == "update the NVIDIA driver, or pip install 'onnxruntime-gpu[cuda,cudnn]<1.27'"
    [finding] = wrong(
        gpu_machine(
            Trial(False, "CUDA failure 35: …", driver="11.8"),
            needed={"nvidia-cuda-runtime-cu12": 12},
            libraries={"nvidia-cuda-runtime-cu12": "12.9"},
        )
    )
    assert finding.message == "the NVIDIA driver is for CUDA up to 11.8, and onnxruntime-gpu needs CUDA 12"
    assert finding.remedy == "update the NVIDIA driver"


def test_cuda_that_does_not_start_for_another_reason_is_reported_with_it() -> None:
    assert wrong(gpu_machine(Trial(False, "the process crashed (signal 11)", driver="13.0"))) == [
        Finding(
            "problem",
            "cuda",
            "CUDA could not start: the process crashed (signal 11)",
            f"{pip_line('gpu', options='--force-reinstall')}, or, without a GPU: {TO_CPU}",
        )
    ]


@pytest.mark.parametrize(
    ("libraries", "message", "remedy"),
    [
        ({"nvidia-cudnn-cu13": "9.20"}, "not installed by pip: nvidia-cuda-runtime 13", INSTALL_GPU),
        ({}, "not installed by pip: nvidia-cuda-runtime 13, nvidia-cudnn-cu13 9", INSTALL_GPU),
        ({"nvidia-cuda-runtime": "13.1"}, "not installed by pip: nvidia-cudnn-cu13 9", INSTALL_GPU),
        (
            {"nvidia-cuda-runtime": "13.1", "nvidia-cudnn-cu12": "9.20"},
            "not installed by pip: nvidia-cudnn-cu13 9 (for which nvidia-cudnn-cu12 9.20 does not do)",
            INSTALL_GPU,
        ),
        (
            {"nvidia-cuda-runtime": "13.1", "nvidia-cudnn-cu13": "8.9.7"},
            "nvidia-cudnn-cu13 8.9.7 is installed, and onnxruntime-gpu needs 9",
            "pip install 'nvidia-cudnn-cu13~=9.0'",
        ),
    ],
)
def test_libraries_of_cuda_that_are_missing_or_wrong_are_named(
    libraries: dict[str, str], message: str, remedy: str
) -> None:
    trial = Trial(False, "libcudart.so.13 is missing", driver="13.0")
    [started, library] = wrong(gpu_machine(trial, libraries=libraries))
    assert started.message == "CUDA could not start: libcudart.so.13 is missing"
    assert library == Finding("problem", "cuda libraries", message, remedy)
    assert wrong(gpu_machine(Trial(True, driver="13.0"), libraries=libraries)) == []  # they came from the system


def test_libraries_that_are_not_missed_may_be_the_systems() -> None:
    trial = Trial(False, "CUDA failure 100: no device", driver="13.0")
    [_, library] = wrong(gpu_machine(trial, libraries={}))
    assert (library.level, library.about) == ("note", "cuda libraries")


def test_versions_are_told_without_importing_what_they_are_of(installed: Site) -> None:
    installed.hide_others()
    found = {finding.about: finding for finding in diagnose(machine())}
    assert found["tensorflow"] == Finding(
        "note", "tensorflow", "not installed; training and export need it", pip_line("train")
    )
    for name in ("tensorflow-cpu", "tf2onnx", "numpy"):
        installed.install(name, version="9.9")
    for module in ("tensorflow", "tf2onnx"):
        (installed.folder / f"{module}.py").write_text("raise RuntimeError('imported')", "utf-8")
    found = {finding.about: finding for finding in diagnose(machine())}
    for about in ("tensorflow", "tf2onnx", "numpy"):
        assert found[about] == Finding("ok", about, "9.9")
    assert found["python"].message.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")


def test_a_broken_plugin_is_a_problem_and_a_hidden_one_is_not(
    installed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "print('hello'); raise RuntimeError('no luck')"
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d=source)
    installed.install("other", {"genrun.decoders": {"greedy": "other_d:Lowest"}}, other_d=DECODER)
    broken, hidden = sorted(wrong(machine()), key=lambda finding: finding.level == "note")
    assert broken == Finding(
        "problem",
        "plugins",
        "decoder 'lowest' of acme 1.0 failed to import: RuntimeError: no luck",
        f"pip install --upgrade acme, or pip uninstall acme  (it fails in {installed.folder / 'acme_d.py'}:1)",
    )
    assert (hidden.level, hidden.about) == ("note", "plugins")
    assert "decoder of other is hidden: 'greedy' is a built-in name; ask for 'other:greedy'" in hidden.message
    assert capsys.readouterr().out == ""  # what a plugin prints must not stand among the findings


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("file:///home/me/my%20acme", "/home/me/my acme"),
        ("https://example.org/acme.git", "https://example.org/acme.git"),
    ],
)
def test_a_broken_plugin_of_ones_own_is_to_be_corrected_not_upgraded(
    installed: Site, address: str, origin: str
) -> None:
    direct_url = json.dumps({"url": address, "dir_info": {"editable": True}})
    source = "import json\n\njson.loads('')\n"
    installed.install("acme", {"genrun.readers": {"r": "acme_d:R"}}, direct_url=direct_url, acme_d=source)
    [finding] = wrong(machine())
    assert finding.remedy == (
        f"correct {installed.folder / 'acme_d.py'}:3, or pip uninstall acme  (it is installed from {origin})"
    )


def test_a_broken_plugin_that_no_installer_recorded_is_to_be_corrected_where_it_lies(installed: Site) -> None:
    installed.install("acme", {"genrun.readers": {"r": "acme_d:R"}}, acme_d="import os\nos._exit(1)")
    (installed.folder / "acme-1.0.dist-info" / "INSTALLER").unlink()
    [finding] = wrong(machine())
    assert finding.message == "reader 'r' of acme 1.0 ended the process at import (exit status 1)"
    assert finding.remedy == (
        f"correct {installed.folder / 'acme_d.py'}, or pip uninstall acme  (it is installed from {installed.folder})"
    )


@pytest.mark.parametrize("recorded", ["", "{", "[]", '{"url": 3}', '{"url": "file://[bad"}'])
def test_a_damaged_record_of_the_installer_harms_nothing(installed: Site, recorded: str) -> None:
    installed.install("acme", {"genrun.readers": {"r": "nowhere:R"}}, direct_url=recorded)
    [finding] = wrong(machine())
    assert finding.message.startswith("reader 'r' of acme 1.0 failed to import: ModuleNotFoundError")
    assert finding.remedy is not None


def test_damaged_metadata_of_a_package_that_matters_do_not_end_the_doctor(installed: Site) -> None:
    for name in ("tensorflow", "onnxruntime", "nvidia-cudnn-cu13"):
        installed.install(name)
        (installed.folder / f"{name.replace('-', '_')}-1.0.dist-info" / "METADATA").unlink()
    found = diagnose()
    assert not [finding for finding in found if "the check itself failed" in finding.message]
    assert Machine().wheels["onnxruntime"] == "?"
    assert "nvidia-cudnn-cu13" not in Machine().libraries


def test_a_check_that_fails_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_moon(machine: Machine) -> Iterator[Finding]:
        yield Finding("ok", "moon", "it is there")
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(doctor, "CHECKS", (check_moon, doctor.check_wheels))
    assert diagnose(machine()) == [
        Finding("ok", "moon", "it is there"),
        Finding("problem", "moon", "the check itself failed: ZeroDivisionError: division by zero"),
        Finding("ok", "onnxruntime", "onnxruntime 9.9"),
    ]
