"""A network's decoding step mixed with an n-gram model: its logits become those of both."""

from __future__ import annotations

import onnx

from genrun_core.counting.counting_file import Mixed
from genrun_export.counting.lookup import add_nodes, lookup
from genrun_export.counting.tables import Tables, make_tables

__all__ = ["add_counting", "with_counting"]

_OF_NETWORK = "network.logits"

# What every follower's probability gets from its context, over the network's share: [batch, followers]. A context
# scales what shorter ones say.
_SHARES = """
    later = CumSum <exclusive = 1, reverse = 1> (factor, one_axis)
    scale = Exp (later)
    scaled = Mul (value, scale)
    share = Where (is_in_row, scaled, nothing_added)
    shares = Reshape (share, flat)
    columns = Reshape (follower, flat)
    probability = Softmax <axis = -1> (network_logits)
"""

# Only followers change: what no context has seen is left to the network. A follower of several contexts has several
# places; each gets the same logit. It is never below the network's: a place beyond a row's end changes nothing.
_LOGITS = """
    raised = ScatterElements <axis = 1, reduction = "add"> (probability, columns, shares)
    raised_there = GatherElements <axis = 1> (raised, columns)
    logs_there = Log (raised_there)
    highest = ReduceMax (network_logits, one)
    likeliest = ReduceMax (probability, one)
    log_likeliest = Log (likeliest)
    normalizer = Sub (highest, log_likeliest)
    logits_there = Add (logs_there, normalizer)
    logits = ScatterElements <axis = 1, reduction = "max"> (network_logits, columns, logits_there)
"""


def with_counting(model: onnx.ModelProto, mixed: Mixed | None) -> onnx.ModelProto:
    """Return a copy of a network's decoding step, with what is mixed with it, if anything is."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    if mixed is not None:
        add_counting(copied, make_tables(mixed.model, mixed.mixture))
    return copied


def add_counting(model: onnx.ModelProto, tables: Tables) -> None:
    """Extend a decoding step, in place, so that its ``logits`` are those of the mixture, and add the state for it.

    The new logits are the logarithm of the mixture's probabilities but for a number for each row, as logits may be.
    To be called before the nodes that choose are added. Raises ValueError for tables without a mixture, or of another
    vocabulary.
    """
    [logits] = (value for value in model.graph.output if value.name == "logits")
    if tables.mixture is None or logits.type.tensor_type.shape.dim[1].dim_value != tables.vocabulary:
        raise ValueError("the tables are not those of a mixture with this step")
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [_OF_NETWORK if name == "logits" else name for name in names]
    given = {"token": "token", "logits": "logits", "network_logits": _OF_NETWORK}
    add_nodes(model.graph, tables, lookup(tables) + _SHARES + _LOGITS, given)
    onnx.checker.check_model(model, full_check=True)
