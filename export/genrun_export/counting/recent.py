"""The nodes that make the tokens of the text so far likelier to come again, and the state that holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from genrun_core.counting.recent import RecentWords
from genrun_export.graph.text_nodes import add_nodes, add_state, rename_logits

__all__ = ["RAISE", "add_recent"]

_PREFIX = "recent."
_BEFORE = "mixed.logits"

# From the logits ``before`` [batch, vocabulary], ``columns`` and ``shares`` [batch, tokens]: a token's probability
# grows by its shares, over the weight of the model before. The new logits are the logarithm of these probabilities
# but for a number for each row, as logits may be. A token of several columns gets the same logit in each. It is never
# below the one before: a share of nothing changes nothing.
RAISE = """
    probability = Softmax <axis = -1> (before)
    raised = ScatterElements <axis = 1, reduction = "add"> (probability, columns, shares)
    raised_there = GatherElements <axis = 1> (raised, columns)
    logs_there = Log (raised_there)
    highest = ReduceMax (before, one)
    likeliest = ReduceMax (probability, one)
    log_likeliest = Log (likeliest)
    normalizer = Sub (highest, log_likeliest)
    logits_there = Add (logs_there, normalizer)
    logits = ScatterElements <axis = 1, reduction = "max"> (before, columns, logits_there)
"""

# The state is a row of the last tokens, each one more than its id; 0 is no token, as states begin with zeros. All but
# the very last one and the first two count: what stands before those is no longer known.
_SHARES = """
    number = Cast <to = 6> (token)
    column = Unsqueeze (number, one)
    newest = Add (column, whole_one)
    joined = Concat <axis = 1> (state, newest)
    next_state = Slice (joined, one, end, one)
    recent = Slice (next_state, two, last, one)
    before_it = Slice (next_state, one, last_but_one, one)
    before_that = Slice (next_state, zero, last_but_two, one)
    previous = Slice (next_state, last_but_one, last, one)
    is_one = Equal (before_it, newest)
    is_same = Equal (before_that, previous)
    is_two = And (is_one, is_same)
    of_one = Where (is_one, one_matches, nothing_added)
    of_two = Where (is_two, two_match, nothing_added)
    of_both = Add (of_one, of_two)
    weight = Add (of_both, plain)
    faded = Mul (weight, fading)
    is_there = Greater (recent, no_token)
    shares = Where (is_there, faded, nothing_added)
    id = Sub (recent, whole_one)
    columns = Max (id, no_token)
"""


def add_recent(model: onnx.ModelProto, recent: RecentWords) -> None:
    """Extend a decoding step, in place, so that recent tokens are likelier, and add the state for it.

    To be called before the nodes that choose are added.
    """
    rename_logits(model.graph, _BEFORE)
    names = {"token": "token", "logits": "logits", "before": _BEFORE}
    names |= add_state(model.graph, np.dtype(np.int32), recent.reach)
    add_nodes(model.graph, _SHARES + RAISE, prefix=_PREFIX, constants=_constants(recent), names=names)
    onnx.checker.check_model(model, full_check=True)


def _constants(recent: RecentWords) -> dict[str, NDArray[Any]]:
    plain, one, two = recent.kinds.astype(np.float32)
    whole = {"zero": 0, "one": 1, "two": 2, "last_but_two": -3, "last_but_one": -2, "last": -1}
    return {
        **{name: np.array([value]) for name, value in whole.items()},
        "end": np.array([recent.reach + 1]),
        "whole_one": np.array(1, np.int32),
        "no_token": np.array(0, np.int32),
        "plain": plain,
        "one_matches": one,
        "two_match": two,
        "nothing_added": np.array(0, np.float32),
        "fading": (recent.fading[::-1] / recent.trust).astype(np.float32),
    }
