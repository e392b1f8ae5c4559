"""The wheels of onnxruntime: which are installed, and what to type where they are the wrong ones.

Each of them installs the same module, ``onnxruntime``: of two, the one that was installed last overwrites files of
the other, and removing either leaves a module that is not whole. All this is read from package metadata alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

__all__ = ["CPU_WHEEL", "GPU_WHEEL", "how_to_install", "installed_wheels"]

CPU_WHEEL, GPU_WHEEL = "onnxruntime", "onnxruntime-gpu"
_WHEELS = (CPU_WHEEL, GPU_WHEEL, "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "ort-nightly")


def installed_wheels() -> dict[str, str]:
    """Return the installed wheels of onnxruntime with their versions; more than one is one too many."""
    found = {}
    for name in _WHEELS:
        try:
            found[name] = metadata.version(name) or "?"
        except metadata.PackageNotFoundError:
            continue
        except Exception:  # damaged metadata
            found[name] = "?"
    return found


def how_to_install(extra: str, wheels: Iterable[str]) -> str:
    """Return what to type to have the wheel of genrun's ``extra`` (cpu or gpu) in place of the installed ``wheels``.

    >>> how_to_install("gpu", ["onnxruntime"])
    "pip uninstall -y onnxruntime && pip install 'genrun[gpu]'"
    >>> how_to_install("cpu", [])
    "pip install 'genrun[cpu]'"
    """
    in_the_way = " ".join(wheels)
    remove = f"pip uninstall -y {in_the_way} && " if in_the_way else ""
    return f"{remove}pip install 'genrun[{extra}]'"
