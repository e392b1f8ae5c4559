"""A network's decoding step mixed with an n-gram model: its logits become those of both."""

from __future__ import annotations

import onnx

from genrun_core.counting.mixed import Mixed
from genrun_export.counting.lookup import add_lookup
from genrun_export.counting.recent import RAISE, add_recent
from genrun_export.counting.tables import Tables, make_tables
from genrun_export.graph.text_nodes import rename_logits

__all__ = ["add_counting", "with_counting"]

_OF_NETWORK = "network.logits"

# What every follower's probability gets from its context, over the network's share: [batch, followers]. A context
# scales what shorter ones say. Only followers change: what no context has seen is left to the network.
_SHARES = """
    later = CumSum <exclusive = 1, reverse = 1> (factor, one_axis)
    scale = Exp (later)
    scaled = Mul (value, scale)
    share = Where (is_in_row, scaled, nothing_added)
    shares = Reshape (share, flat)
    columns = Reshape (follower, flat)
"""


def with_counting(model: onnx.ModelProto, mixed: Mixed | None) -> onnx.ModelProto:
    """Return a copy of a network's decoding step, with what is mixed with it, if anything is."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    if mixed is not None:
        add_counting(copied, make_tables(mixed.model, mixed.mixture))
        if mixed.recent is not None:
            add_recent(copied, mixed.recent)
    return copied


def add_counting(model: onnx.ModelProto, tables: Tables) -> None:
    """Extend a decoding step, in place, so that its ``logits`` are those of the mixture, and add the state for it.

    To be called before the nodes that choose are added. Raises ValueError for tables without a mixture, or of another
    vocabulary.
    """
    [logits] = (value for value in model.graph.output if value.name == "logits")
    if tables.mixture is None or logits.type.tensor_type.shape.dim[1].dim_value != tables.vocabulary:
        raise ValueError("the tables are not those of a mixture with this step")
    rename_logits(model.graph, _OF_NETWORK)
    given = {"token": "token", "logits": "logits", "before": _OF_NETWORK}
    add_lookup(model.graph, tables, _SHARES + RAISE, given)
    onnx.checker.check_model(model, full_check=True)
