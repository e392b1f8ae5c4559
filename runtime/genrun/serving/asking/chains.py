"""The decoder of a request: OpenAI's fields, and those that other servers added, as a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.registry import make_chain, make_decoder
from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun.serving.refusals import Refused

__all__ = ["Bias", "chain_of"]

_DRAWING = ("temperature", "top_k", "top_p", "min_p")
_BEFORE = ("logit_bias", "repetition_penalty", "frequency_penalty", "presence_penalty")


@dataclass(frozen=True, slots=True)
class Bias:
    """A stage that adds ``biases`` to the logits of the tokens ``ids`` (OpenAI's ``logit_bias``).

    >>> logits = np.zeros((1, 3), np.float32)
    >>> Bias((1,), (2.0,)).apply(Candidates(None, logits, 3), [None], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, 2.0, 0.0]]
    """

    ids: tuple[int, ...]
    biases: tuple[float, ...]

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with other logits."""
        batch = len(draws)
        rows, columns, which = candidates.columns_of(*pairs([self.ids] * batch))
        logits = candidates.logits.copy()
        logits[rows, columns] += np.tile(np.array(self.biases, np.float32), batch)[which]
        return candidates.with_logits(logits)


def chain_of(
    body: Mapping[str, Any], defaults: GenerationDefaults, vocabulary: int
) -> str | Decoder | list[Any] | None:
    """Return the decoder of a checked ``body``; None for the model's own.

    ``decoder`` is a chain by itself. Otherwise bias and penalties come first. Then ``temperature``, ``top_k``,
    ``top_p`` and ``min_p``, in this order, as in vLLM; the temperature 0 is greedy. If none of these four is given,
    the model's own decoder chooses. Raises Refused for ``decoder`` beside one of them, and for ids that are none.
    """
    given = [name for name in (*_BEFORE, *_DRAWING) if name in body]
    if "decoder" in body:
        if given:
            message = f"{given[0]} goes with OpenAI's fields, not with a decoder; put it into the chain"
            raise Refused(400, message, param=given[0])
        chain: str | list[Any] = body["decoder"]
        return chain
    if not given:
        return None
    before = [stage for stage in (_before(name, body[name], vocabulary) for name in _BEFORE if name in body) if stage]
    if not any(name in body for name in _DRAWING):
        return make_chain([*before, make_decoder(defaults.decoder, defaults.options)]) if before else None
    if body.get("temperature") == 0:
        return make_chain([*before, "greedy"])
    drawing = [stage for stage in (_drawing(name, body[name]) for name in _DRAWING if name in body) if stage]
    return make_chain([*before, *drawing, "draw"])


def _before(name: str, value: Any, vocabulary: int) -> object:
    if name == "logit_bias":
        return _bias(value, vocabulary)
    stage, neutral = name.removesuffix("_penalty"), 1.0 if name == "repetition_penalty" else 0.0
    return None if value == neutral else {"name": stage, "options": {"penalty": float(value), "window": 0}}


def _drawing(name: str, value: float) -> object:
    if name == "temperature":
        return None if value == 1 else {"name": "temperature", "options": {"temperature": float(value)}}
    if name == "top_k":
        return None if value < 1 else {"name": "top-k", "options": {"k": int(value)}}
    if name == "top_p":
        return None if value == 1 else {"name": "top-p", "options": {"p": float(value)}}
    return None if value == 0 else {"name": "min-p", "options": {"p": float(value)}}


def _bias(biases: Mapping[str, float], vocabulary: int) -> Bias | None:
    for token in biases:
        if not (len(token) < 10 and token.isdecimal() and str(int(token)) == token and int(token) < vocabulary):
            message = f"logit_bias: {token[:40]!r} is no token id; accepted: 0 to {vocabulary - 1}"
            raise Refused(400, message, param="logit_bias")
    found = sorted((int(token), float(bias)) for token, bias in biases.items())
    return Bias(tuple(token for token, _ in found), tuple(bias for _, bias in found)) if found else None
