"""The parts of a network: a body that carries its state, a head for the logits, layers that stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genrun_core.backend import prepare_backend
from support.tiny import VOCABULARY, fitting_of, model_of, train_epochs

prepare_backend()

import keras  # noqa: E402

from genrun_core.network.architecture import build_network  # noqa: E402
from genrun_core.network.body_and_head import Body, Head  # noqa: E402

RECURRENT = ["lstm", "gru", "simple-rnn"]
HEADS: dict[str, dict[str, Any]] = {
    "own logits": {},
    "tied": {"tied": True, "embedding_size": 8},
    "tied, projected": {"tied": True},
}


def drawn(network: keras.Model) -> keras.Model:
    """The network with all its weights drawn, also those that begin at zero."""
    random = np.random.default_rng(5)
    network.set_weights([random.normal(0, 0.5, weight.shape) for weight in network.get_weights()])
    return network


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("architecture", RECURRENT)
def test_a_text_read_in_pieces_with_its_state_carried_is_a_text_read_at_once(architecture: str, layers: int) -> None:
    body = Body(drawn(build_network(model_of(architecture, layers=layers), VOCABULARY)))
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (3, 11)).astype(np.int32)
    whole, after_whole = body(tokens, body.initial_states(3), training=False)
    states, parts = body.initial_states(3), []
    for piece in np.split(tokens, [1, 4, 9], axis=1):
        hidden, states = body(piece, states, training=False)
        parts.append(np.asarray(hidden))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
    assert len(states) == len(after_whole) == layers * (2 if architecture == "lstm" else 1)
    for state, expected in zip(states, after_whole, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-6)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("architecture", [*RECURRENT, "window"])
def test_body_and_head_together_are_the_network(architecture: str, head: dict[str, Any]) -> None:
    rates = {"dropout": 0.5, "input_dropout": 0.5, "embedding_dropout": 0.5, "locked_dropout": True}
    network = drawn(build_network(model_of(architecture, **head, **rates), VOCABULARY))
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (3, 7)).astype(np.int32)
    body = Body(network)
    hidden, _ = body(tokens, body.initial_states(3), training=False)
    np.testing.assert_allclose(Head(network)(hidden), network(tokens, training=False), atol=1e-5)


def test_tied_logits_are_the_products_with_the_vectors_of_the_words() -> None:
    network = drawn(build_network(model_of(**HEADS["tied"]), VOCABULARY))
    hidden = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    vectors, bias = (network.get_layer(name).get_weights()[0] for name in ("embedding", "logits"))
    head = Head(network)
    np.testing.assert_allclose(head(hidden), hidden @ vectors.T + bias, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(head.tied_vectors), vectors)


@pytest.mark.parametrize("architecture", ["gru", "window"])
@pytest.mark.parametrize(
    ("frozen", "shape"),
    [
        (("embedding",), {}),
        (("first", "logits"), {}),
        (("projection",), {"tied": True}),
        (("embedding", "projection"), {"tied": True}),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, tuple) else "",
)
def test_a_frozen_layer_stays_as_it_is_and_the_others_learn(
    architecture: str, frozen: tuple[str, ...], shape: dict[str, Any]
) -> None:
    first = "hidden" if architecture == "window" else "recurrent_1"
    frozen = tuple(first if name == "first" else name for name in frozen)
    options: dict[str, Any] = {"optimizer": "adamw", "weight_decay": 0.1}  # which must not touch them either
    fitting = fitting_of([6] * 8, model_of(architecture, **shape), freeze=frozen, epochs=2, **options)
    layers = {layer.name: layer for layer in fitting.network.layers if layer.get_weights()}
    before = {name: layer.get_weights() for name, layer in layers.items()}
    train_epochs(fitting)
    moved = {
        name
        for name, layer in layers.items()
        if not all(np.array_equal(a, b) for a, b in zip(before[name], layer.get_weights(), strict=True))
    }
    assert moved == set(layers) - set(frozen)
