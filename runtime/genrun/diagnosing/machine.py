"""The machine that the doctor examines: what is installed on it, and whether a model runs."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from functools import cached_property
from importlib import metadata

from genrun.diagnosing.provider_trial import Trial, try_provider
from genrun.loading.device import CPU, CUDA
from genrun.loading.onnxruntime_wheels import GPU_WHEEL, installed_version, installed_wheels

__all__ = ["Machine"]

_EXTRAS = ("serve", "parquet", "ray", "spark", "beam")


class Machine:
    """The facts that the checks use; each is looked up once, on first use."""

    @cached_property
    def wheels(self) -> dict[str, str]:
        """The installed wheels of onnxruntime with their versions."""
        return installed_wheels()

    @cached_property
    def has_module(self) -> bool:
        """Whether there is a module ``onnxruntime``, even without a known wheel."""
        return importlib.util.find_spec("onnxruntime") is not None

    @cached_property
    def libraries(self) -> dict[str, str]:
        """The installed ``nvidia-…`` packages with their versions."""
        found: dict[str, str] = {}
        for distribution in metadata.distributions():
            with contextlib.suppress(Exception):  # damaged metadata of any package
                name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
                if name.startswith("nvidia-"):
                    found.setdefault(name, distribution.version)
        return found

    @cached_property
    def extras(self) -> dict[str, dict[str, str | None]]:
        """The packages of the extras for servers and tables, with their versions; None for one that is missing."""
        required: list[str] = []
        found: dict[str, dict[str, str | None]] = {extra: {} for extra in _EXTRAS}
        with contextlib.suppress(metadata.PackageNotFoundError):  # genrun itself is not installed, only on the path
            required = metadata.requires("genrun") or []
        for needed in required:
            if asked := re.match(r"([\w.-]+).*;.*extra\s*==\s*.(\w+)", needed):
                name, extra = asked.groups()
                if extra in found:
                    found[extra][name] = installed_version(name)
        return {extra: packages for extra, packages in found.items() if packages}

    @cached_property
    def needed(self) -> dict[str, int]:
        """The ``nvidia-…`` packages that the installed onnxruntime-gpu requires, with their major versions."""
        named = {}
        for needed in metadata.requires(GPU_WHEEL) or [] if GPU_WHEEL in self.wheels else []:
            if found := re.match(r"(nvidia-[\w-]+)[^;]*?[~=]=\s*(\d+).*;.*extra\s*==\s*.cu", needed):
                named[found[1]] = int(found[2])
        return named

    @cached_property
    def cpu(self) -> Trial:
        """The result of running a model on the CPU."""
        return try_provider(CPU)

    @cached_property
    def cuda(self) -> Trial:
        """The result of running a model on a GPU."""
        return try_provider(CUDA)
