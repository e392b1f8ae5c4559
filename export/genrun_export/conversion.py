"""From a TensorFlow step to an ONNX graph with the names and shapes of the model-file format."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import onnx
import tensorflow as tf

import genrun
from genrun.errors import ExportError, one_line
from genrun_export.step import Step

__all__ = ["to_onnx"]

_OPSET = 18


def to_onnx(step: Step) -> onnx.ModelProto:
    """Convert a step; inputs and outputs are called as the model file wants them. Raises ExportError."""
    function = tf.function(lambda token, *states: _plain_names(step.function(token, *states)))
    signature = [tf.TensorSpec([None], tf.int64, "token"), *step.states]
    with _quiet():
        import tf2onnx

        try:
            model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=_OPSET)
        except Exception as error:  # whatever the converter stumbles over
            raise ExportError(f"the network could not be converted to ONNX: {one_line(error)}") from error
    _share_tied_vectors(model.graph)
    _rename_outputs(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.graph.name = "decoding_step"
    model.producer_name, model.producer_version = "genrun", genrun.__version__
    onnx.checker.check_model(model, full_check=True)
    return model


def _share_tied_vectors(graph: onnx.GraphProto) -> None:
    """Let the logits use the embedding's own vectors where they are tied, instead of a transposed copy of them.

    The converter folds the transposition away and so stores them twice.
    """
    stored = {value.name: value for value in graph.initializer}
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    embeddings = [stored[name] for name in gathered & set(stored)]
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in stored:
            continue
        copy = stored[node.input[1]]
        for vectors in embeddings:
            if list(vectors.dims) == list(reversed(copy.dims)) and _is_transposed(vectors, copy):
                node.op_type = "Gemm"
                node.input[1] = vectors.name
                node.attribute.append(onnx.helper.make_attribute("transB", 1))
                graph.initializer.remove(copy)
                break


def _is_transposed(one: onnx.TensorProto, other: onnx.TensorProto) -> bool:
    first, second = onnx.numpy_helper.to_array(one), onnx.numpy_helper.to_array(other)
    return bool((second == first.T).all())


def _plain_names(outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Replace the dots, which TensorFlow does not keep in the names of outputs."""
    return {name.replace(".", "_"): value for name, value in outputs.items()}


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
