"""Tiny real model files, made without TensorFlow: Markov steps over a few tokens whose texts a reader can foretell.

The step's logits are ``table[token] + state * drift``, and its only state counts the tokens it has seen. So what
comes next depends on the last token and on how far the text has got, and every figure can be computed by hand.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import GoldenText, Verification
from genrun.tokenizer import Tokenizer
from genrun_export.graph.choosing import add_choosing

__all__ = [
    "SPECIALS",
    "alphabet_table",
    "babble_table",
    "letters",
    "metadata",
    "random_drift",
    "save",
    "step_model",
    "words",
    "write_babble",
    "write_model",
]

SPECIALS = ("pad", "unk", "start", "end")


def letters(kind: str = "char", specials: Sequence[str] = SPECIALS) -> Tokenizer:
    """Return a tokenizer over the letters a to z: single characters, or words of one letter."""
    return words(*string.ascii_lowercase, kind=kind, specials=specials)


def words(*vocabulary: str, kind: str = "word", specials: Sequence[str] = SPECIALS) -> Tokenizer:
    """Return a tokenizer over the given words, with the special tokens before them."""
    marks = [f"<{name}>" for name in specials]
    return Tokenizer(kind=kind, vocabulary=[*marks, *vocabulary], specials=specials)


def alphabet_table(tokenizer: Tokenizer, strength: float = 10.0) -> NDArray[np.float32]:
    """Return logits ``[V, V]`` that favour the successor: the next entry, ``<end>`` after the last one.

    ``<start>`` is followed by the first word; without ``<end>`` the last word is followed by the first.
    """
    first = len(tokenizer.specials)
    end, start = tokenizer.special("end"), tokenizer.special("start")
    table = np.zeros((len(tokenizer), len(tokenizer)), np.float32)
    for token in range(first, len(tokenizer) - 1):
        table[token, token + 1] = strength
    table[len(tokenizer) - 1, first if end is None else end] = strength
    if start is not None:
        table[start, first] = strength
    return table


def babble_table(size: int, seed: int = 1) -> NDArray[np.float32]:
    """Return random logits ``[size, size]``, always the same for one seed."""
    return np.random.default_rng(seed).normal(0.0, 1.5, (size, size)).astype(np.float32)


def random_drift(size: int, seed: int = 2) -> NDArray[np.float32]:
    """Return a random drift ``[size]``, always the same for one seed."""
    return np.random.default_rng(seed).normal(0.0, 0.3, size).astype(np.float32)


def step_model(table: ArrayLike, drift: ArrayLike | None = None) -> Any:
    """Return the ONNX model of a step: ``logits = table[token] + state.0 * drift``; the state counts tokens."""
    weights = np.asarray(table, np.float32)
    size = weights.shape[1]
    slopes = np.zeros(size, np.float32) if drift is None else np.asarray(drift, np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "token"], ["row"], axis=0),
            helper.make_node("Mul", ["state.0", "drift"], ["shift"]),
            helper.make_node("Add", ["row", "shift"], ["logits"]),
            helper.make_node("Add", ["state.0", "one"], ["state.0.next"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("token", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("state.0", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", size]),
            helper.make_tensor_value_info("state.0.next", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            numpy_helper.from_array(weights, "table"),
            numpy_helper.from_array(slopes, "drift"),
            numpy_helper.from_array(np.ones(1, np.float32), "one"),
        ],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def metadata(
    tokenizer: Tokenizer,
    *,
    decoder: str = "greedy",
    options: Mapping[str, Any] | None = None,
    max_new_tokens: int = 5,
    suppress: Sequence[str] = ("pad", "unk", "start"),
    casing: str = "none",
    card: Mapping[str, Any] | None = None,
    golden: Sequence[GoldenText] = (),
) -> Metadata:
    """Return what a model file says about itself; ``suppress`` names special tokens that are never chosen."""
    end = tokenizer.special("end")
    suppressed = [tokenizer.special(name) for name in suppress]
    return Metadata(
        tokenizer=tokenizer,
        generation=GenerationDefaults(
            decoder=decoder,
            options=options or {},
            max_new_tokens=max_new_tokens,
            stop_ids=() if end is None else (end,),
            suppressed_ids=tuple(token for token in suppressed if token is not None),
            casing=casing,
        ),
        card={"name": "alphabet"} if card is None else card,
        verification=Verification({"largest difference": 0.0}, tuple(golden)),
    )


def save(path: Path, model: Any, properties: Mapping[str, str]) -> Path:
    """Write an ONNX model with the given ``metadata_props``; returns ``path``."""
    del model.metadata_props[:]
    helper.set_model_props(model, dict(properties))
    onnx.save_model(model, str(path))
    return path


def write_model(
    path: Path,
    tokenizer: Tokenizer | None = None,
    *,
    table: ArrayLike | None = None,
    drift: ArrayLike | None = None,
    properties: Mapping[str, str | None] | None = None,
    choosing: bool = False,
    **about: Any,
) -> Path:
    """Write a model file to ``path`` and return it; ``about`` are the parameters of :func:`metadata`.

    Without a ``table`` it says the alphabet. ``properties`` replace what the file would carry (None removes), for
    files that are damaged or of another format version: ``{"genrun.format_version": "2"}``. With ``choosing`` its
    graph can also choose, as an exported one can.
    """
    tokenizer = tokenizer or letters()
    said = metadata(tokenizer, **about)
    carried: dict[str, str | None] = {**said.to_properties(), **(properties or {})}
    model = step_model(alphabet_table(tokenizer) if table is None else table, drift)
    if choosing:
        add_choosing(model, said.generation.suppressed_ids)
    return save(path, model, {key: text for key, text in carried.items() if text is not None})


def write_babble(path: Path, *, choosing: bool) -> Path:
    """Write a model that draws words, marks and ends at random; ``choosing``: whether its graph can choose."""
    tokenizer = words("love", "don’t", "stop", ",", ".", "“", "”", "you", "i", "'s")
    drift = random_drift(len(tokenizer))
    drift[tokenizer.special("end")] = 0.2  # the longer a text, the likelier its end
    return write_model(
        path,
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=drift,
        decoder="temperature",
        options={"temperature": 1.5},
        max_new_tokens=12,
        choosing=choosing,
    )
