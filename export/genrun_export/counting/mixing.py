"""A network's decoding step mixed with an n-gram model: its logits become those of both."""

from __future__ import annotations

import onnx

from genrun_export.counting.lookup import add_nodes, lookup
from genrun_export.counting.tables import Tables

__all__ = ["add_counting"]

_OF_NETWORK = "network.logits"

# The probabilities of the mixture over the network's weight: the network's, what is left for every token, and then
# the followers of each context, which longer contexts have scaled.
_MIXED = """
    left = CumSum <reverse = 1> (factor, one_axis)
    factors_left = Exp (left)
    for_all = Gather <axis = 1> (factors_left, zero)
    for_rows = Pad (factors_left, one_more, full)
    scale = Gather <axis = 1> (for_rows, next_level_of_column)
    scaled = Mul (value, scale)
    share = Where (is_in_row, scaled, nothing_added)
    probability = Softmax <axis = -1> (network_logits)
    with_unigrams = Gemm (for_all, unigram_row, probability)
    mixed = ScatterElements <axis = 1, reduction = "add"> (with_unigrams, follower, share)
    logits = Log (mixed)
"""


def add_counting(model: onnx.ModelProto, tables: Tables) -> None:
    """Extend a decoding step, in place, so that its ``logits`` are those of the mixture, and add the state for it.

    The new logits are log(w · softmax(logits) + (1 - w) · p(counts)) - log(w): log-probabilities but for a number
    that is the same for all tokens. Raises ValueError for tables without a mixture, or of another vocabulary.
    """
    [logits] = (value for value in model.graph.output if value.name == "logits")
    if tables.mixture is None or logits.type.tensor_type.shape.dim[1].dim_value != tables.vocabulary:
        raise ValueError("the tables are not those of a mixture with this step")
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [_OF_NETWORK if name == "logits" else name for name in names]
    given = {"token": "token", "logits": "logits", "network_logits": _OF_NETWORK}
    add_nodes(model.graph, tables, lookup(tables) + _MIXED, given)
    onnx.checker.check_model(model, full_check=True)
