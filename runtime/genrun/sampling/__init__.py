"""Choosing tokens from logits in NumPy: what the built-in stages, choosers and decoders use, for plugins too.

The functions work on a whole batch at once. What they compute for a row does not depend on the other rows, to the
bit: sums are sums of whole numbers, which are exact in any order.
"""

from genrun.sampling.candidates import Candidates
from genrun.sampling.chain import Chain
from genrun.sampling.logits import inverse_cdf, log_normalizers, top_k, top_p
from genrun.sampling.weights import NotANumberError, own_draws

__all__ = [
    "Candidates",
    "Chain",
    "NotANumberError",
    "inverse_cdf",
    "log_normalizers",
    "own_draws",
    "top_k",
    "top_p",
]
