"""The graph of a model file with choosing as Triton needs it: inputs that every request has, a row for each.

Triton does not know inputs with defaults, and joins requests of several clients to one batch. So ``draw`` and
``temperature`` become real inputs, ``[batch, 1]`` both, and ``k`` a constant, since a batch has one.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from genrun.errors import ExportError

__all__ = ["real_inputs"]

_ADDED = ("draw", "temperature")
_CONSTANT = ("k", "normalize")


def real_inputs(model: onnx.ModelProto, k: int) -> onnx.ModelProto:
    """Return a copy of a step whose graph always chooses from the ``k`` likeliest tokens, -1 for all.

    Its metadata is left out: the copy is no model file. Raises ExportError for a file whose graph does not choose.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    inputs = {value.name: value for value in graph.input}
    if not inputs.keys() >= {*_ADDED, *_CONSTANT}:
        raise ExportError("the graph of the model file does not choose: export its run again with this genrun")
    for name in (*_ADDED, *_CONSTANT):
        graph.input.remove(inputs[name])
        [default] = [value for value in graph.initializer if value.name == name]
        graph.initializer.remove(default)
    graph.input.extend(helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["batch", 1]) for name in _ADDED)
    constants = {"k": np.array([k], np.int64), "normalize": np.array(False)}
    graph.initializer.extend(numpy_helper.from_array(constants[name], name) for name in _CONSTANT)
    del copy.metadata_props[:]
    onnx.checker.check_model(copy)
    return copy
