"""What the author of an architecture builds on; the entry-point group is ``genrun.architectures``.

:class:`Architecture` is the plugin: its options, and the layers that it makes. :class:`StepLayer` is a layer that
carries states from token to token, :class:`State` one of these states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrun_core.architectures.contract import Architecture, State

if TYPE_CHECKING:
    from genrun_core.architectures.step_layer import StepLayer

__all__ = ["Architecture", "State", "StepLayer"]


def __getattr__(name: str) -> object:
    """Import what needs Keras on first use (PEP 562): a command that lists architectures need not wait for it."""
    if name != "StepLayer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from genrun_core.architectures.step_layer import StepLayer

    globals()[name] = StepLayer
    return StepLayer
