"""Choosing from logits, in few passes, against the obvious way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genrun.sampling import NotANumberError, inverse_cdf, log_normalizers, top_k

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


@pytest.mark.parametrize("k", [1, 7, 500])
@pytest.mark.parametrize("place", [0, 1, 7, 498, 499])
def test_a_logit_that_is_no_number_is_an_error(k: int, place: int) -> None:
    logits = np.zeros((3, 500), np.float32)
    logits[1, place] = np.nan
    with pytest.raises(NotANumberError, match="a logit is not a number"):
        top_k(logits, k)
    with pytest.raises(NotANumberError, match="a logit is not a number"):
        inverse_cdf(logits, np.zeros(3))


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
