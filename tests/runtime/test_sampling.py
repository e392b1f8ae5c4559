"""Choosing from logits, in few passes, against the obvious way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genrun.sampling import NotANumberError, inverse_cdf, log_normalizers, top_k
from genrun.sampling.nucleus import drawn_of_nucleus, least_weights
from genrun.sampling.weights import drawn, exact_weights

values = st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, -math.inf, 3e38, 1e-45]), min_size=1, max_size=4)


@given(st.integers(1, 5), st.integers(1, 2000), st.integers(1, 2000), values | st.none(), st.integers(0, 2**32))
@example(1, 47, 1, None, 0)
@example(3, 1999, 5, None, 1)
@example(2, 1600, 40, [0.0], 2)
def test_top_k_is_the_head_of_a_stable_sort(
    batch: int, vocabulary: int, k: int, pool: list[float] | None, seed: int
) -> None:
    """Few different values make ties, with each other and at the edge."""
    random = np.random.default_rng(seed)
    shape = (batch, vocabulary)
    drawn = random.normal(size=shape) if pool is None else random.choice(np.array(pool), shape)
    logits, k = np.asarray(drawn, np.float32), min(k, vocabulary)
    before = logits.copy()
    expected = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    assert top_k(logits, k).tolist() == expected.tolist()
    assert np.array_equal(logits, before)


@given(
    st.lists(st.sampled_from([0.0, 1.0, -20.0, 1e30, -1e30, 3.4e38, -3.4e38, -math.inf]), min_size=1, max_size=6),
    st.sampled_from([1e-300, 1e-200, 0.5, 1.0, 1e30]),
    st.floats(0.01, 1.0),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_a_row_alone_is_chosen_from_as_among_others(
    row: list[float], temperature: float, p: float, draw: float
) -> None:
    """The largest and the smallest numbers too, and without a warning."""
    among = np.array([row, row], np.float32)
    alone, draws = among[:1], np.array([draw, draw])
    weights = exact_weights(among, temperature)
    assert np.array_equal(exact_weights(alone, temperature), weights[:1], equal_nan=True)
    if np.isnan(weights).any():  # all are minus infinity
        return
    assert least_weights(weights[:1], p).tolist() == least_weights(weights, p)[:1].tolist()
    assert drawn(weights[:1].copy(), draws[:1]).tolist() == drawn(weights, draws)[:1].tolist()


@given(st.integers(1, 3), st.integers(1, 2000), st.floats(0.001, 1.0), st.floats(0.0, 30.0), st.integers(0, 2**32))
@example(1, 1500, 1.0, 30.0, 0)
@example(2, 1500, 0.95, 0.0, 1)
@example(3, 700, 1e-9, 5.0, 2)
def test_the_least_weight_of_a_nucleus_is_that_of_sorted_rows(
    batch: int, vocabulary: int, p: float, spread: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = exact_weights(random.normal(0, spread, (batch, vocabulary)).astype(np.float32))
    expected = []
    for row in weights.tolist():
        falling, added = sorted(row, reverse=True), 0.0
        for weight in falling:
            added += weight
            if added >= p * sum(row):
                break
        expected.append([max(weight, 1.0)])
    assert least_weights(weights, p).tolist() == expected
    draws = random.random(batch)
    among = np.where(weights >= np.array(expected), weights, 0.0)
    assert drawn_of_nucleus(weights, p, draws).tolist() == drawn(among, draws).tolist()


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e250])
def test_a_program_may_have_numpy_raise_errors(temperature: float) -> None:
    logits = np.array([[0.0, -1000.0, -math.inf, -3e38, 1e-30]], np.float32)
    with np.errstate(all="raise"):
        assert inverse_cdf(logits, np.array([0.0]), temperature).tolist() == [0]
        assert top_k(logits, 2).tolist() == [[4, 0]]


def test_a_row_without_candidates_is_an_error() -> None:
    with pytest.raises(NotANumberError, match="a row has no candidates"):
        drawn(np.zeros((1, 0)), np.zeros(1))


@pytest.mark.parametrize("k", [1, 7, 500])
@pytest.mark.parametrize("place", [0, 1, 7, 498, 499])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_logit_that_is_no_number_is_an_error(k: int, place: int, batch: int) -> None:
    logits = np.zeros((batch, 500), np.float32)
    logits[-1, place] = np.nan
    with pytest.raises(NotANumberError, match="a logit is not a number"):
        top_k(logits, k)
    with pytest.raises(NotANumberError, match="a logit is not a number"):
        inverse_cdf(logits, np.zeros(batch))


def test_normalizers_are_those_of_exact_sums() -> None:
    random = np.random.default_rng(3)
    for batch in (1, 4, 7, 64):
        logits = random.normal(0, 5, (batch, 3001)).astype(np.float32)
        exact = [math.log(math.fsum(map(math.exp, row))) for row in logits.astype(np.float64).tolist()]
        assert log_normalizers(logits).tolist() == pytest.approx(exact, abs=1e-5)
    assert np.isnan(log_normalizers(np.array([[0.0, np.nan], [0.0, np.inf]], np.float32))).all()


@pytest.mark.parametrize("batch", [0, 1, 4])
def test_what_is_no_choice_is_said_so(batch: int) -> None:
    logits = np.zeros((batch, 3), np.float32)
    assert top_k(logits, 9).tolist() == [[0, 1, 2]] * batch
    with pytest.raises(ValueError, match="k must be 1 or more, not 0"):
        top_k(logits, 0)
    with pytest.raises(ValueError, match=r"temperature must be above 0, not 0\.0"):
        inverse_cdf(logits, np.zeros(batch), 0.0)
