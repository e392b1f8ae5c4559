"""What chooses the next tokens of a batch: the decoder, or the model file's graph in its place."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import shown
from genrun.contracts import Decoder, ParametricDecoder
from genrun.errors import PluginError
from genrun.generating.stepping.session import StepSession
from genrun.registry import contract_of, title
from genrun.sampling import Chain

__all__ = ["ChooseWith", "Parameters", "choosing_parameters", "graph_is_faster", "only_reads"]

ChooseWith = Literal["auto", "graph", "decoder"]

# The decoder's own choice, in NumPy, pays from this many rows (that choose among the k most likely tokens, or among
# all), and logits of all rows, for what its calls cost; and while few steps run at once, since NumPy needs Python's
# lock between its loops and the graph does not. Only where the graph sums up the probabilities (its input normalize).
_ROWS_FOR_TOP_K, _ROWS_FOR_ALL, _LOGITS_FOR_NUMPY, _STEPS_FOR_NUMPY = 12, 4, 12_000, 4


_READ_ONLY = 2  # the contract since which a decoder must not change the logits


class Parameters(NamedTuple):
    """What the graph is fed to choose as a decoder does: ``k`` (1 … vocabulary, or -1 for all) and temperature."""

    k: int
    temperature: float


def choosing_parameters(session: StepSession, decoder: Decoder) -> Parameters | None:
    """Return the parameters of ``decoder``, None if it has none.

    Raises PluginError for parameters that are not those of a ParametricDecoder.
    """
    try:
        if not isinstance(decoder, ParametricDecoder):
            return None
        given = decoder.parameters()
        if given is None:
            return None
        k, temperature = int(given["k"]), float(given.get("temperature", 1.0))
        unknown = set(given) - {"k", "temperature"}
    except BaseException as error:  # the decoder may be anyone's
        blame(f"{title('decoder', decoder)} failed", error)
    if unknown or not (k == -1 or k >= 1) or not 0 < temperature < math.inf:
        raise PluginError(
            f"{title('decoder', decoder)}: parameters() must return 'k', -1 or from 1, and optionally 'temperature', "
            f"above 0, not {shown(given)}"
        )
    return Parameters(min(k, session.vocabulary), temperature)


def only_reads(decoder: Decoder) -> bool:
    """Return whether ``decoder`` leaves the logits that it is given as they are: a chain does, and since contract 2.

    Raises PluginError for a decoder of a contract that this genrun does not work with.
    """
    return isinstance(decoder, Chain) or contract_of("decoder", decoder) >= _READ_ONLY


def graph_is_faster(session: StepSession, parameters: Parameters, rows: int) -> bool:
    """Return whether the graph chooses faster than the decoder for a batch of ``rows``."""
    few = _ROWS_FOR_TOP_K if parameters.k > 0 else _ROWS_FOR_ALL
    in_numpy = (
        rows >= few
        and rows * session.vocabulary >= _LOGITS_FOR_NUMPY
        and session.normalizes
        and session.device == "cpu"
        and session.parallel_steps <= _STEPS_FOR_NUMPY
    )
    return not in_numpy
