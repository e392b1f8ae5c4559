"""The loss over a sample of the vocabulary: how the words are drawn, and that it stands for the loss over all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import ModelSettings
from support.tiny import VOCABULARY, fitting_of, model_of, train_epochs

prepare_backend()

import tensorflow as tf  # noqa: E402

from genrun_core.network.architecture import build_network  # noqa: E402
from genrun_core.network.body_and_head import Head  # noqa: E402
from genrun_core.training.stepping.sampled_softmax import draw_candidates, sampled_losses  # noqa: E402

TIED = model_of(tied=True)


@given(st.integers(2, 400), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_words_are_drawn_without_replacement_and_as_many_as_expected(
    vocabulary: int, share: float, seed: int
) -> None:
    sampled = max(1, round(share * (vocabulary - 1)))
    ids, expected = draw_candidates(vocabulary, sampled, np.random.default_rng(seed))
    assert len(set(np.asarray(ids).tolist())) == len(ids) == sampled
    assert set(np.asarray(ids).tolist()) <= set(range(vocabulary))
    assert np.sum(expected) == pytest.approx(sampled, rel=1e-4)
    assert (np.diff(expected) <= 0).all()  # the frequent words, with low ids, more often
    again, _ = draw_candidates(vocabulary, sampled, np.random.default_rng(seed))
    np.testing.assert_array_equal(again, ids)


def test_words_are_drawn_as_often_as_is_said() -> None:
    random, vocabulary, draws = np.random.default_rng(1), 60, 4000
    found = np.zeros(vocabulary)
    for _ in range(draws):
        ids, expected = draw_candidates(vocabulary, 15, random)
        found[ids] += 1
    np.testing.assert_allclose(found / draws, expected, atol=0.04)


def test_more_words_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(genrun.OptionError, match="sampled_softmax=20 is not below the vocabulary, which is 20"):
        draw_candidates(20, 20, np.random.default_rng(0))


def test_the_loss_against_almost_all_words_is_almost_that_against_all() -> None:
    """In its values, and in what it teaches the vectors of the words."""
    vocabulary, tokens = 50, 30
    network = build_network(ModelSettings("gru", embedding_size=8, hidden_size=8, tied=True), vocabulary)
    random = np.random.default_rng(0)
    network.set_weights([random.normal(0, 0.5, weight.shape) for weight in network.get_weights()])
    head = Head(network)
    hidden = tf.constant(random.normal(size=(tokens, 8)), tf.float32)
    wanted = tf.constant(random.integers(0, vocabulary, tokens), tf.int32)
    vectors = head.tied_vectors.value
    with tf.GradientTape() as tape:
        full = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, head(hidden))
    full_gradient = np.asarray(tf.convert_to_tensor(tape.gradient(full, vectors)))
    losses, gradients = [], []
    for _ in range(40):
        candidates = draw_candidates(vocabulary, vocabulary - 1, random)
        with tf.GradientTape() as tape:
            sampled = sampled_losses(head, hidden, wanted, candidates)
        gradients.append(np.asarray(tf.convert_to_tensor(tape.gradient(sampled, vectors))))
        losses.append(sampled)
    np.testing.assert_allclose(np.mean(losses, axis=0), full, atol=0.1)
    difference = np.mean(gradients, axis=0) - full_gradient
    assert np.linalg.norm(difference) < 0.05 * np.linalg.norm(full_gradient)


def test_a_network_learns_from_samples_what_it_learns_from_all_words() -> None:
    options: dict[str, Any] = {"epochs": 40, "learning_rate": 0.03, "batch_size": 4, "full_softmax": 0.05}
    model = model_of(tied=True, embedding_size=8)
    full, sampled = (train_epochs(fitting_of([8] * 8, model, sampled_softmax=words, **options)) for words in (0, 15))
    assert full[-1]["loss"] < full[0]["loss"] - 1.5
    assert sampled[-1]["loss"] == pytest.approx(full[-1]["loss"], abs=0.2)


def test_the_last_epochs_and_every_validation_use_all_words() -> None:
    options: dict[str, Any] = {"epochs": 5, "sampled_softmax": 3, "full_softmax": 0.4}
    rows = train_epochs(fitting_of([6] * 8, TIED, held_out=2, **options))
    assert ["accuracy" in row for row in rows] == [False, False, False, True, True]
    assert all("val_accuracy" in row for row in rows)
    assert rows[0]["loss"] < np.log(4.5) < 2.8 < rows[0]["val_loss"] < np.log(VOCABULARY) + 0.2


def test_a_network_whose_logits_have_their_own_weights_is_refused() -> None:
    with pytest.raises(genrun.OptionError, match="sampled_softmax needs tied=true"):
        load_recipe("lyricist", {"sampled_softmax": "10"})
    with pytest.raises(genrun.OptionError, match="sampled_softmax needs tied=true"):
        _ = Head(build_network(model_of(), VOCABULARY)).tied_vectors
