"""An n-gram model as a decoding step by itself: its logits are logarithms of probabilities."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

import genrun
from genrun_export.counting.lookup import add_lookup
from genrun_export.counting.tables import Tables

__all__ = ["OPSET", "counting_step"]

OPSET = 18

# A context multiplies what shorter ones say; its own followers get more.
_LOGITS = """
    whole_factor = ReduceSum <keepdims = 0> (factor, two)
    for_all = ReduceSum (whole_factor, one)
    spread = Add (for_all, unigrams)
    gain = Where (is_in_row, value, nothing_added)
    gains = Reshape (gain, flat)
    followers_flat = Reshape (follower, flat)
    logits = ScatterElements <axis = 1, reduction = "add"> (spread, followers_flat, gains)
"""


def counting_step(tables: Tables) -> onnx.ModelProto:
    """Return a decoding step: ``token`` int64 ``[batch]`` and a state to ``logits`` float32 ``[batch, vocabulary]``.

    ``state.0`` ``[batch, order - 2]``: the numbers of the last contexts, zeros before the first token; a model of
    order 2 needs none. The logits are log-probabilities. Raises ValueError for tables of a mixture.
    """
    if tables.mixture is not None:
        raise ValueError("the tables are those of a mixture")
    graph = helper.make_graph(
        [],
        "decoding_step",
        [helper.make_tensor_value_info("token", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", tables.vocabulary])],
    )
    add_lookup(graph, tables, _LOGITS, {"token": "token", "logits": "logits"})
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    model.producer_name, model.producer_version = "genrun", genrun.__version__
    onnx.checker.check_model(model, full_check=True)
    return model
