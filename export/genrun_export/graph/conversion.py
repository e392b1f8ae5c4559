"""From a TensorFlow step to an ONNX graph with the names and shapes of the model-file format."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

import genrun
from genrun.errors import ExportError, one_line
from genrun_export.file.serializing import drop_inputs
from genrun_export.graph.step import Step

__all__ = ["add_weights", "to_graph"]

_OPSET = 18


def to_graph(step: Step) -> onnx.ModelProto:
    """Convert a step without its weights, which become inputs of the graph, each by its name in ``step.weights``.

    The other inputs and the outputs have the names of the model file. The converter never holds the weights, since it
    would copy them several times. Raises ExportError.
    """
    weights, states = list(step.weights.items()), len(step.states)

    def function(token: tf.Tensor, *given: tf.Tensor) -> dict[str, tf.Tensor]:
        variables = (variable for _, variable in weights)
        with keras.StatelessScope(state_mapping=list(zip(variables, given[states:], strict=True))):
            outputs = step.function(token, *given[:states])
        return {name.replace(".", "_"): value for name, value in outputs.items()}  # TensorFlow would drop the dots

    signature = [tf.TensorSpec([None], tf.int64, "token"), *step.states]
    signature += [tf.TensorSpec(variable.shape, variable.dtype, name) for name, variable in weights]
    with _quiet():
        import tf2onnx

        try:
            model, _ = tf2onnx.convert.from_function(tf.function(function), input_signature=signature, opset=_OPSET)
        except Exception as error:  # whatever the converter stumbles over
            raise ExportError(f"the network could not be converted to ONNX: {one_line(error)}") from error
    _share_tied_vectors(model.graph, step.weights)
    _rename_outputs(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        if value.name not in step.weights:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.graph.name = "decoding_step"
    model.producer_name, model.producer_version = "genrun", genrun.__version__
    onnx.checker.check_model(model, full_check=True)
    return model


def add_weights(model: onnx.ModelProto, weights: Mapping[str, keras.Variable]) -> None:
    """Make constants, in place, of the inputs that are ``weights``."""
    drop_inputs(model.graph, weights)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(variable), name) for name, variable in weights.items()
    )


def _share_tied_vectors(graph: onnx.GraphProto, weights: Collection[str]) -> None:
    """Let the logits use the embedding's own vectors where they are tied, instead of a transposed copy of them."""
    transposed = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Transpose" and node.input[0] in weights
    }
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in transposed:
            node.op_type = "Gemm"
            node.input[1] = transposed[node.input[1]]
            node.attribute.append(onnx.helper.make_attribute("transB", 1))
    for node in [node for node in graph.node if node.op_type == "Transpose" and node.output[0] in transposed]:
        graph.node.remove(node)


def _rename_outputs(graph: onnx.GraphProto) -> None:
    """Call the outputs ``state.k.next`` again; each gets a node of its own, so that inner names do not matter."""
    for output in graph.output:
        name = output.name
        wanted = f"state.{name.split('_')[1]}.next" if name.startswith("state_") else name
        if wanted != name:
            graph.node.append(onnx.helper.make_node("Identity", [name], [wanted], name=f"output/{wanted}"))
            output.name = wanted


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter's log and its warnings about its own dependencies away from the user."""
    loggers: list[Any] = [logging.getLogger("tf2onnx"), tf.get_logger()]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
