"""The step of a network as one ONNX model, without the other parts of a model file."""

from __future__ import annotations

import onnx

from genrun_export.graph.conversion import add_weights, to_graph
from genrun_export.graph.step import Step

__all__ = ["to_onnx"]


def to_onnx(step: Step) -> onnx.ModelProto:
    """Return the graph of a step with its weights."""
    model = to_graph(step)
    add_weights(model, step.weights)
    return model
