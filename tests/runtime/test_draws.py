"""The random draws: what they depend on, what they do not, and that they never change between releases."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.generating.draws import Draws, check_seed, uniform_draws

seeds = st.integers(0, 2**64 - 1)
prompts = st.lists(st.integers(0, 20_000), max_size=6)


@given(seeds, st.integers(0, 1000), prompts, st.integers(0, 40), st.integers(0, 40))
def test_fewer_draws_are_the_beginning_of_more(seed: int, sample: int, prompt: list[int], a: int, b: int) -> None:
    few, many = sorted((a, b))
    beginning = uniform_draws(seed, sample, prompt, many)[:few]
    assert np.array_equal(uniform_draws(seed, sample, prompt, few), beginning)


@given(seeds, st.integers(0, 1000), prompts)
def test_draws_are_float32_from_0_to_below_1(seed: int, sample: int, prompt: list[int]) -> None:
    draws = uniform_draws(seed, sample, prompt, 50)
    assert draws.dtype == np.float32
    assert draws.shape == (50,)
    assert draws.min() >= 0
    assert draws.max() < 1


@given(st.sets(st.tuples(seeds, st.integers(0, 9), prompts.map(tuple)), min_size=2, max_size=6))
def test_seed_sample_and_prompt_each_give_other_draws(keys: set[tuple[int, int, tuple[int, ...]]]) -> None:
    assert len({uniform_draws(*key, 8).tobytes() for key in keys}) == len(keys)


@given(seeds, st.integers(0, 1000), prompts, st.integers(0, 200))
def test_draws_one_by_one_are_the_draws_of_a_block(seed: int, sample: int, prompt: list[int], count: int) -> None:
    one_by_one = [next(draws) for draws in [Draws(seed, sample, prompt)] for _ in range(count)]
    assert one_by_one == uniform_draws(seed, sample, prompt, count).tolist()


def test_draws_are_an_iterator_that_never_ends() -> None:
    draws = Draws(7, 0, [1, 2])
    assert iter(draws) is draws
    assert list(islice(draws, 3)) + list(islice(draws, 997)) == uniform_draws(7, 0, [1, 2], 1000).tolist()


def test_draws_of_two_texts_do_not_disturb_each_other() -> None:
    first, second = Draws(7, 0, [1]), Draws(7, 1, [1])
    drawn = [(next(first), next(second)) for _ in range(70)]
    assert [pair[0] for pair in drawn] == uniform_draws(7, 0, [1], 70).tolist()
    assert [pair[1] for pair in drawn] == uniform_draws(7, 1, [1], 70).tolist()


def test_the_order_of_the_prompt_matters_and_its_container_does_not() -> None:
    draws = uniform_draws(7, 0, [1, 2], 4)
    assert not np.array_equal(draws, uniform_draws(7, 0, [2, 1], 4))
    assert np.array_equal(draws, uniform_draws(7, 0, (1, 2), 4))
    assert np.array_equal(draws, uniform_draws(7, 0, np.array([1, 2], np.int32).tolist(), 4))


def test_draws_do_not_touch_the_global_generator() -> None:
    before = np.random.get_state(legacy=False)
    uniform_draws(1, 0, [1], 100)
    after = np.random.get_state(legacy=False)
    np.testing.assert_equal(after, before)


@pytest.mark.parametrize(
    ("key", "first_five"),
    [
        ((7, 0, (1, 2)), [16671308, 1035721, 3251086, 5648954, 3732428]),
        ((0, 0, ()), [4428516, 3035672, 14441121, 14508195, 15737604]),
        ((2**64 - 1, 3, (11752,)), [7248697, 3511733, 12765375, 16675181, 7398626]),
    ],
)
def test_the_draws_of_a_key_never_change(key: tuple[int, int, tuple[int, ...]], first_five: list[int]) -> None:
    drawn = uniform_draws(*key, 5).astype(np.float64) * 2**24
    assert drawn.tolist() == first_five


def test_draws_are_spread_evenly() -> None:
    counts = np.bincount((uniform_draws(7, 0, [1], 10_000) * 10).astype(int), minlength=10)
    assert counts.sum() == 10_000
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 21.7  # chi-square, 9 degrees of freedom, 1 in 100


def test_seed_0_is_a_seed_and_none_is_a_fresh_one() -> None:
    assert check_seed(0) == 0
    assert check_seed(2**64 - 1) == 2**64 - 1
    fresh = {check_seed(None) for _ in range(8)}
    assert len(fresh) == 8
    assert all(0 <= seed < 2**63 for seed in fresh)
    assert not np.array_equal(uniform_draws(0, 0, [1], 5), uniform_draws(1, 0, [1], 5))


@pytest.mark.parametrize("seed", [np.int64(7), np.uint8(7), np.int32(7), np.uint64(7)])
def test_numpys_whole_numbers_are_seeds(seed: int) -> None:
    assert (check_seed(seed), type(check_seed(seed))) == (7, int)
    assert check_seed(np.uint64(2**64 - 1)) == 2**64 - 1  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "7", True, [7], np.int64(-1), np.float64(7), np.True_])
def test_what_is_no_seed_is_refused(seed: object) -> None:
    with pytest.raises(OptionError) as caught:
        check_seed(seed)  # type: ignore[arg-type]
    assert str(caught.value) == f"seed must be a whole number from 0 to 2**64 - 1, not {seed!r}"
