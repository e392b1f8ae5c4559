"""What can be checked of an architecture without Keras; its layers are checked by training and export."""

from __future__ import annotations

from functools import partial
from typing import Any

from genrun.testing.common_checks import check_options
from genrun.testing.outcomes import Check, Failed, Outcome, Skipped, outcomes

__all__ = ["architecture_outcomes"]

_BASE = ("genrun_core.architectures.contract", "Architecture")


def architecture_outcomes(architecture: Any) -> list[Outcome]:
    """Return what comes of each check of ``architecture``, an object with its options."""
    return outcomes(_CHECKS, architecture)


def _defines_a_network(architecture: Any) -> None:
    bases = type(architecture).__mro__
    base = next((cls for cls in bases if (cls.__module__, cls.__qualname__) == _BASE), None)
    if base is None:
        raise Failed("it must inherit genrun_core.architectures.Architecture")
    for method in ("weights", "layers"):
        if getattr(type(architecture), method) is getattr(base, method):
            raise Failed(f"it must define {method}()")


def _agrees_with_its_file(architecture: Any) -> None:
    raise Skipped("train it and export it: genrun export compares its layers with the model file")


_CHECKS = (
    Check("options survive JSON", partial(check_options, "architecture"), first=True),
    Check("it defines weights and layers", _defines_a_network, first=True),
    Check("its layers agree with each other", _agrees_with_its_file),
)
