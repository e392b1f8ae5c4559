"""The nodes that raise the probabilities of a few tokens, and leave all others to the model before."""

from __future__ import annotations

__all__ = ["RAISE"]

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
