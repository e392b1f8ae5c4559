"""The wheels of onnxruntime: which are installed, and what to type if they are the wrong ones.

All of them install the same module, ``onnxruntime``: a second wheel overwrites files of the first, and removing
either leaves an incomplete module. This module reads only package metadata.
"""

from __future__ import annotations

from collections.abc import Iterable

from genrun.checks.installation import pip_line

__all__ = ["CPU_WHEEL", "GPU_WHEEL", "how_to_install", "installed_version", "installed_wheels"]

CPU_WHEEL, GPU_WHEEL = "onnxruntime", "onnxruntime-gpu"
_WHEELS = (CPU_WHEEL, GPU_WHEEL, "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "ort-nightly")


def installed_wheels() -> dict[str, str]:
    """Return the versions of the installed onnxruntime wheels by name; more than one is an error."""
    found = {name: installed_version(name) for name in _WHEELS}
    return {name: version for name, version in found.items() if version is not None}


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, ``?`` if its metadata is damaged, None without it."""
    from importlib import metadata

    try:
        return metadata.version(name) or "?"
    except metadata.PackageNotFoundError:
        return None
    except Exception:  # damaged metadata
        return "?"


def how_to_install(extra: str, wheels: Iterable[str]) -> str:
    """Return the command that replaces the installed ``wheels`` by the one of genrun's ``extra`` (cpu or gpu).

    >>> how_to_install("gpu", ["onnxruntime"]) == f"pip uninstall -y onnxruntime && {pip_line('gpu')}"
    True
    """
    in_the_way = " ".join(wheels)
    remove = f"pip uninstall -y {in_the_way} && " if in_the_way else ""
    return f"{remove}{pip_line(extra)}"
