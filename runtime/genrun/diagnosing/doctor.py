"""Looks for problems that keep genrun from working on this machine, and returns what to type to fix them.

Each check is a function from a :class:`Machine` to findings. To add a check, write it below the others and add it to
CHECKS. Nothing is downloaded, and code that may crash runs in another process.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import genrun
from genrun.checks.installation import pip_line, requirement, upgrade_line
from genrun.contracts.version import CONTRACT
from genrun.diagnosing.machine import Machine
from genrun.diagnosing.plugin_listing import list_plugins, remedy
from genrun.errors import cause
from genrun.loading.onnxruntime_wheels import CPU_WHEEL, GPU_WHEEL, how_to_install, installed_version

__all__ = ["CHECKS", "Finding", "Machine", "diagnose"]

_LAST_FOR_CUDA_12 = "1.27"  # the published onnxruntime-gpu is for CUDA 13 from this version on
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly")


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    ``level``: ``ok``, ``note`` (information, not a problem) or ``problem``. ``about``: the subject, in a word or two.
    ``remedy``: what to type or to do, None if that is unknown.
    """

    level: str
    about: str
    message: str
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON-ready dictionary."""
        return asdict(self)


Check = Callable[[Machine], Iterator[Finding]]


def diagnose(machine: Machine | None = None) -> list[Finding]:
    """Return the findings of all checks, in order; a check that itself fails is a finding too.

    >>> [(finding.message, finding.remedy) for finding in diagnose() if finding.level == "problem"]
    []
    """
    machine = machine or Machine()
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings.extend(check(machine))
        except Exception as error:
            name = check.__name__.removeprefix("check_")
            findings.append(Finding("problem", name, f"the check itself failed: {cause(error)}"))
    return findings


def check_versions(machine: Machine) -> Iterator[Finding]:
    """The versions of Python and the main packages, without importing TensorFlow."""
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("ok", "genrun", genrun.__version__)
    yield Finding("ok", "numpy", installed_version("numpy") or "?")
    for about, names in (("tensorflow", _TENSORFLOW), ("tf2onnx", ("tf2onnx",))):
        version = next(filter(None, map(installed_version, names)), None)
        if version is None:
            yield Finding("note", about, "not installed; training and export need it", pip_line("train"))
        else:
            yield Finding("ok", about, version)


def check_extras(machine: Machine) -> Iterator[Finding]:
    """Which extras for servers and tables are installed; no text needs any of them."""
    missing = [extra for extra, packages in machine.extras.items() if None in packages.values()]
    for extra, packages in machine.extras.items():
        if extra not in missing:
            yield Finding("ok", extra, ", ".join(f"{name} {version}" for name, version in packages.items()))
    if missing:
        one_of = "  (or some of them)" if len(missing) > 1 else ""
        remedy = f"{pip_line(','.join(missing))}{one_of}"
        yield Finding("note", "extras", f"not installed, and not needed to generate: {', '.join(missing)}", remedy)


def check_wheels(machine: Machine) -> Iterator[Finding]:
    """There is one wheel of onnxruntime: without one, no model runs, and two overwrite each other."""
    listed = " and ".join(f"{name} {version}" for name, version in machine.wheels.items())
    if len(machine.wheels) > 1:
        remedy = how_to_install("gpu" if GPU_WHEEL in machine.wheels else "cpu", machine.wheels)
        message = f"{listed} are installed and overwrite each other"
        yield Finding("problem", "onnxruntime", message, f"{remedy}  (or {requirement('cpu')}, without a GPU)")
    elif listed:
        yield Finding("ok", "onnxruntime", listed)
    elif machine.has_module:
        yield Finding("note", "onnxruntime", "the module is there, but no wheel of it that genrun knows")
    else:
        remedy = f"{pip_line('cpu')}  (or {requirement('gpu')}, with an NVIDIA GPU)"
        yield Finding("problem", "onnxruntime", "not installed, so no model can be run", remedy)


def check_cpu(machine: Machine) -> Iterator[Finding]:
    """The module onnxruntime can be imported and runs a model."""
    if not machine.wheels and not machine.has_module:
        return
    if machine.cpu.works:
        yield Finding("ok", "cpu", "a model ran on the CPU")
    else:
        remedy = how_to_install("gpu" if GPU_WHEEL in machine.wheels else "cpu", machine.wheels)
        yield Finding("problem", "cpu", f"onnxruntime runs no model: {machine.cpu.why_not}", remedy)


def check_cuda(machine: Machine) -> Iterator[Finding]:
    """If onnxruntime for GPUs is installed, a model runs on the GPU: there is a driver, and it is new enough."""
    if GPU_WHEEL not in machine.wheels:
        if CPU_WHEEL in machine.wheels and machine.cpu.driver:
            message = f"there is an NVIDIA driver (CUDA {machine.cpu.driver}), but onnxruntime is the one for CPUs"
            yield Finding("note", "cuda", message, how_to_install("gpu", machine.wheels))
        return
    if len(machine.wheels) > 1 or not machine.cpu.works:  # other checks report these, which must be fixed first
        return
    trial = machine.cuda
    major = max((major for name, major in machine.needed.items() if "cuda-runtime" in name), default=0)
    without_gpu = how_to_install("cpu", machine.wheels)
    if trial.works:
        yield Finding("ok", "cuda", f"a model ran on the GPU (driver for CUDA up to {trial.driver or '?'})")
    elif not trial.driver:
        message = f"no NVIDIA driver is found, and CUDA could not start: {trial.why_not}"
        yield Finding("problem", "cuda", message, f"install the NVIDIA driver, or, without a GPU: {without_gpu}")
    elif int(trial.driver.partition(".")[0]) < major:
        message = f"the NVIDIA driver is for CUDA up to {trial.driver}, and onnxruntime-gpu needs CUDA {major}"
        older = f", or pip install 'onnxruntime-gpu[cuda,cudnn]<{_LAST_FOR_CUDA_12}'" if major == 13 else ""
        yield Finding("problem", "cuda", message, f"update the NVIDIA driver{older}")
    else:
        remedy = f"{pip_line('gpu', options='--force-reinstall')}, or, without a GPU: {without_gpu}"
        yield Finding("problem", "cuda", f"CUDA could not start: {trial.why_not}", remedy)


def check_cuda_libraries(machine: Machine) -> Iterator[Finding]:
    """If CUDA does not start, its libraries and cuDNN are installed in the versions that onnxruntime-gpu requires.

    If it starts, they may come from the system.
    """
    if not machine.needed or not machine.cpu.works or machine.cuda.works:
        return
    missing = []
    for name, major in machine.needed.items():
        version = machine.libraries.get(name)
        kin = [f"{other} {found}" for other, found in machine.libraries.items() if _stem(other) == _stem(name)]
        if version is None:
            missing.append(f"{name} {major}" + (f" (for which {', '.join(kin)} does not do)" if kin else ""))
        elif version.partition(".")[0] != str(major):
            message = f"{name} {version} is installed, and onnxruntime-gpu needs {major}"
            yield Finding("problem", "cuda libraries", message, f"pip install '{name}~={major}.0'")
    if missing:
        level = "problem" if machine.cuda.why_not.endswith("is missing") else "note"  # the system may provide them
        message = f"not installed by pip: {', '.join(missing)}"
        yield Finding(level, "cuda libraries", message, "pip install 'onnxruntime-gpu[cuda,cudnn]'")


def check_plugins(machine: Machine) -> Iterator[Finding]:
    """Every plugin can be imported and has the shape of its kind; a plugin that another one hides is a note."""
    listing = list_plugins()
    for plugin in listing:
        if plugin.state == "broken":
            message = plugin.reason or f"{plugin.kind} {plugin.name!r} of {plugin.distribution} is broken"
            do = remedy(plugin.distribution, plugin.installed_from, plugin.file, plugin.raised_at)
            if (plugin.contract or 0) > CONTRACT:
                do = upgrade_line()
            yield Finding("problem", "plugins", message, do)
        elif plugin.state == "hidden":
            yield Finding("note", "plugins", f"{plugin.kind} of {plugin.distribution} is hidden: {plugin.reason}")
    works = sum(plugin.state == "available" for plugin in listing)
    yield Finding("ok", "plugins", f"{works} of {len(listing)} readers, decoders and commands are available")


def _stem(name: str) -> str:
    """Return a package's name without its CUDA version.

    >>> _stem("nvidia-cudnn-cu12")
    'nvidia-cudnn'
    """
    return re.sub(r"-cu\d+$", "", name)


CHECKS: tuple[Check, ...] = (
    check_versions,
    check_extras,
    check_wheels,
    check_cpu,
    check_cuda,
    check_cuda_libraries,
    check_plugins,
)
