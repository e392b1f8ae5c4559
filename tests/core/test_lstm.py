"""The LSTM with its own way through time: Keras's numbers, forwards and backwards, and a mask that stays."""

from __future__ import annotations

from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from genrun_core.network.lstm import FastLSTM  # noqa: E402

BATCH, TIME, SIZE, UNITS = 3, 7, 5, 6


def run(layer: keras.layers.LSTM, compiled: bool, training: bool = False) -> list[NDArray[np.float32]]:
    """Outputs, last states, and the gradient of a loss that all of them enter, in every input and weight."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=shape).astype(np.float32) for shape in ((BATCH, TIME, SIZE), *[(BATCH, UNITS)] * 2)]

    def step(x: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([x, h, c])
            outputs, last_h, last_c = layer(x, initial_state=[h, c], training=training)
            loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(last_h * last_c) + tf.reduce_sum(last_c**3)
        weights = [weight.value for weight in layer.trainable_variables]
        return [outputs, last_h, last_c, *tape.gradient(loss, [x, h, c, *weights])]

    call = tf.function(step) if compiled else step
    return [np.asarray(value) for value in call(*map(tf.constant, inputs))]


def pair(**settings: float) -> tuple[keras.layers.LSTM, FastLSTM]:
    keras.utils.set_random_seed(1)
    theirs = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    ours = FastLSTM(UNITS, return_sequences=True, return_state=True, **settings)
    for layer in (theirs, ours):
        layer.build((None, None, SIZE))
    ours.set_weights(theirs.get_weights())
    return theirs, ours


@pytest.mark.parametrize("compiled", [False, True])
def test_outputs_states_and_gradients_are_those_of_keras(compiled: bool) -> None:
    theirs, ours = pair()
    for expected, found in zip(run(theirs, compiled), run(ours, compiled), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_its_gradient_is_that_of_finite_differences_under_a_mask() -> None:
    """With dropout there is no Keras to compare with: the same mask is drawn again, the loss moved a little."""
    _, layer = pair(state_dropout=0.5)
    x = np.random.default_rng(3).normal(size=(1, 4, SIZE)).astype(np.float32)
    seed = np.asarray(layer.state_seed.state)

    def loss(values: NDArray[np.float32]) -> tf.Tensor:
        layer.state_seed.state.assign(seed)
        return tf.reduce_sum(layer(values, training=True)[0] ** 2)

    with tf.GradientTape() as tape:
        given = tf.constant(x)
        tape.watch(given)
        value = loss(given)
    gradient = np.asarray(tape.gradient(value, given))
    for place in ((0, 0, 0), (0, 2, 3), (0, 3, 4)):
        moved = [x.copy(), x.copy()]
        for copy, by in zip(moved, (1e-2, -1e-2), strict=True):
            copy[place] += by
        difference = (float(loss(moved[0])) - float(loss(moved[1]))) / 2e-2
        assert gradient[place] == pytest.approx(difference, abs=2e-3)


def test_dropout_of_the_state_is_drawn_anew_for_each_batch_and_absent_outside_training() -> None:
    plain, dropping = pair(state_dropout=0.5)
    first, second = run(dropping, False, training=True), run(dropping, False, training=True)
    assert not np.allclose(first[0], second[0])
    np.testing.assert_allclose(run(dropping, False)[0], run(plain, False)[0], rtol=1e-5, atol=1e-5)


def test_a_state_that_is_dropped_everywhere_is_no_state() -> None:
    """With nearly all of it dropped, only the cell state connects the steps; the recurrent kernel learns nothing."""
    _, layer = pair(state_dropout=0.999999)
    *_, recurrent, _ = run(layer, False, training=True)[3:]
    assert recurrent.shape == (UNITS, 4 * UNITS)
    assert not recurrent.any()
