"""The built-in decoders against slow reference implementations, and their options."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from genrun import registry
from genrun.contracts import Decoder, options
from genrun.errors import OptionError
from genrun_plugins.decoders.greedy import Greedy
from genrun_plugins.decoders.temperature import Temperature
from genrun_plugins.decoders.top_k import TopK
from genrun_plugins.decoders.top_p import TopP

LAST = 1 - 2**-24  # the largest draw there is
Logits = NDArray[np.float32]

# Few distinct values make ties, minus infinity stands for what must not be chosen; one token is always possible.
values = st.sampled_from([-math.inf, -2.0, -1.0, 0.0, 1.0, 2.0]) | st.floats(-20, 20, width=32)
rows = st.lists(values, min_size=1, max_size=9).filter(lambda row: max(row) > -math.inf)
draws = st.sampled_from([0.0, 2**-24, 0.5, LAST]) | st.floats(0, LAST, width=32)
temperatures = st.sampled_from([1e-310, 1e-30, 0.5, 1.0, 2.0, 1e30, 1e308]) | st.floats(0.05, 20)


def choose(decoder: Decoder, logits: list[float] | Logits, draw: float = 0.0) -> int:
    chosen = decoder.choose(np.array([logits], np.float32), [], np.array([draw], np.float32))
    assert chosen.shape == (1,)
    assert chosen.dtype.kind == "i"
    return int(chosen[0])


def slow_probabilities(logits: list[float], temperature: float) -> list[float]:
    """softmax(logits / temperature), one number at a time."""
    highest = max(logits)
    weights = [math.exp(max(-1e6, (value - highest) / temperature)) for value in logits]
    return [weight / math.fsum(weights) for weight in weights]


def slow_candidates(logits: list[float], k: int) -> list[int]:
    """The k highest, falling, ties by the lowest id."""
    return sorted(range(len(logits)), key=lambda token: (-logits[token], token))[:k]


def check_inverse_cdf(
    chosen: int, candidates: list[int], logits: list[float], temperature: float, draw: float
) -> None:
    """Hold ``chosen`` to the interval of cumulative probabilities that the draw falls into, to float32's rounding."""
    probabilities = slow_probabilities([logits[token] for token in candidates], temperature)
    position = candidates.index(chosen)
    assert probabilities[position] > 0
    below = math.fsum(probabilities[:position])
    assert below - 1e-7 <= draw <= below + probabilities[position] + 1e-7


@given(rows, draws, temperatures)
@example([0.0, 0.0, -math.inf], LAST, 1e308)
@example([-math.inf, 0.0, -1.0], 0.0, 1e-310)
@settings(deadline=None)
def test_temperature_inverts_the_cumulative_probabilities(row: list[float], draw: float, temperature: float) -> None:
    chosen = choose(Temperature(temperature), row, draw)
    check_inverse_cdf(chosen, list(range(len(row))), row, temperature, draw)


@given(rows, draws, temperatures, st.integers(1, 12))
@example([1.0, 1.0, 1.0, 1.0], LAST, 1.0, 2)
@example([0.0, -math.inf, 1.0], LAST, 1.0, 3)
@settings(deadline=None)
def test_top_k_inverts_the_cumulative_probabilities_of_its_candidates(
    row: list[float], draw: float, temperature: float, k: int
) -> None:
    chosen = choose(TopK(k, temperature), row, draw)
    check_inverse_cdf(chosen, slow_candidates(row, k), row, temperature, draw)


@given(rows, draws, temperatures, st.floats(0.01, 1.0))
@example([0.0, 0.0, -1.0], 0.0, 1.0, 0.3)
@example([5.765157448656133e-12, 0.0], 0.5, 0.5, 0.25)  # equal probabilities in float32
@settings(deadline=None)
def test_top_p_inverts_the_cumulative_probabilities_of_the_fewest_likely_tokens_that_reach_p(
    row: list[float], draw: float, temperature: float, p: float
) -> None:
    probabilities = slow_probabilities(row, temperature)
    kept, together = set[int](), 0.0
    for token in sorted(range(len(row)), key=lambda token: -probabilities[token]):
        tied = any(abs(probabilities[token] - probabilities[other]) < 1e-6 for other in kept)
        if abs(together - p) < 1e-6 or (tied and together >= p):
            return  # on the edge, where rounding decides; ties have their own test
        if together < p:
            kept.add(token)
            together += probabilities[token]
    chosen = choose(TopP(p, temperature), row, draw)
    check_inverse_cdf(chosen, sorted(kept), row, temperature, draw)


def test_top_p_draws_no_token_twice_in_a_row_if_it_shall_not() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (50, 7)).astype(np.float32)
    before = [random.integers(0, 7, length) for length in random.integers(0, 4, 50)]
    given, grid = logits.copy(), random.random(50, np.float32)
    chosen = TopP(0.9, repeats=False).choose(logits, before, grid)
    assert (logits == given).all()
    assert all(not len(seen) or token != seen[-1] for token, seen in zip(chosen, before, strict=True))
    for row, (token, seen) in enumerate(zip(chosen, before, strict=True)):
        left = logits[row].copy()
        left[seen[-1:]] = -np.inf
        assert token == TopP(0.9).choose(left[None], [], grid[row : row + 1])[0]
    only = np.array([[-np.inf, 1.0]], np.float32)
    assert TopP(repeats=False).choose(only, [np.array([1])], np.zeros(1, np.float32)).tolist() == [1]


def test_top_p_keeps_all_of_equally_likely_tokens_or_none() -> None:
    grid = np.linspace(0, LAST, 1000, dtype=np.float32)
    logits = np.log(np.array([0.4, 0.2, 0.2, 0.1, 0.1], np.float32))
    for p, kept in ((0.3, [0]), (0.41, [0, 1, 2]), (0.79, [0, 1, 2]), (0.85, [0, 1, 2, 3, 4])):
        assert sorted(set(TopP(p).choose(np.tile(logits, (1000, 1)), [], grid).tolist())) == kept


@given(rows)
@settings(deadline=None)
def test_greedy_takes_the_highest_logit_and_of_ties_the_lowest_id(row: list[float]) -> None:
    assert choose(Greedy(), row) == row.index(max(row))


@given(rows, draws)
@settings(deadline=None)
def test_k_of_1_is_greedy(row: list[float], draw: float) -> None:
    assert choose(TopK(1), row, draw) == choose(Greedy(), row)


@given(rows, st.integers(1, 9), st.integers(0, 3))
@settings(deadline=None)
def test_a_row_is_chosen_the_same_alone_and_in_a_batch(row: list[float], size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    batch = random.normal(0, 2, (size, len(row))).astype(np.float32)
    batch[size // 2] = row
    batch_draws = random.random(size, np.float32)
    for decoder in (Greedy(), Temperature(0.7), TopK(3), TopK(40), TopP(0.6), TopP(0.95, 0.7)):
        together = decoder.choose(batch.copy(), [], batch_draws)
        alone = [choose(decoder, logits, float(draw)) for logits, draw in zip(batch, batch_draws, strict=True)]
        assert together.tolist() == alone


@pytest.mark.parametrize("k", [1, 2, 3, 5, 7, 8, 100])
def test_exactly_k_candidates_stay_even_when_all_are_tied(k: int) -> None:
    grid = np.linspace(0, LAST, 1000, dtype=np.float32)
    chosen = TopK(k).choose(np.ones((1000, 8), np.float32), [], grid)
    assert sorted(set(chosen.tolist())) == list(range(min(k, 8)))


@pytest.mark.parametrize("draw", [0.0, LAST])
def test_forbidden_tokens_are_not_chosen_by_extreme_draws(draw: float) -> None:
    for row in ([-math.inf, 0.0, -math.inf], [-math.inf, -math.inf, -5.0]):
        for decoder in (Greedy(), Temperature(), Temperature(1e308), TopK(), TopK(2), TopK(3), TopP(), TopP(0.01)):
            assert row[choose(decoder, row, draw)] > -math.inf


def test_logits_of_any_size_are_no_trouble() -> None:
    row = [3e38, -3e38, 3.4e38]
    for decoder in (Greedy(), Temperature(), TopK(2), Temperature(1e-308), TopP(0.5)):
        assert choose(decoder, row, 0.5) == 2


@pytest.mark.parametrize(
    ("decoder", "temperature", "candidates"),
    [
        (Temperature(1.0), 1.0, 6),
        (Temperature(0.5), 0.5, 6),
        (Temperature(3.0), 3.0, 6),
        (TopK(3), 1.0, 3),
        (TopK(4, 0.7), 0.7, 4),
    ],
)
def test_frequencies_follow_the_softmax(decoder: Decoder, temperature: float, candidates: int) -> None:
    logits = [0.3, 2.0, -1.0, 1.2, 0.0, 1.9]
    count = 100_000
    grid = ((np.arange(count) + 0.5) / count).astype(np.float32)  # evenly spread, so that nothing is left to chance
    chosen = decoder.choose(np.tile(np.array(logits, np.float32), (count, 1)), [], grid)
    kept = slow_candidates(logits, candidates)
    probabilities = slow_probabilities([logits[token] for token in kept], temperature)
    observed = np.bincount(chosen, minlength=6)
    expected = np.zeros(6)
    expected[kept] = np.array(probabilities) * count
    assert observed[expected == 0].sum() == 0
    chi_square = float((((observed - expected) ** 2)[kept] / expected[kept]).sum())
    assert chi_square < 0.01


@pytest.mark.parametrize(
    ("name", "given_options", "message"),
    [
        ("top-k", {"k": 0}, "decoder 'top-k': k must be 1 or more, not 0"),
        ("top-k", {"k": "-3"}, "k must be 1 or more, not -3"),
        ("top-k", {"k": "many"}, "decoder 'top-k': k must be a whole number, not 'many'"),
        ("top-k", {"k": 2.5}, "k must be a whole number, not 2.5"),
        ("top-k", {"k": True}, "k must be a whole number, not True"),
        ("top-k", {"k": None}, "k must be a whole number, not None"),
        ("top-k", {"temperature": 0}, "temperature must be a number above 0, not 0.0; .* the decoder 'greedy'"),
        ("top-k", {"n": 3}, "decoder 'top-k' has no option 'n'; accepted: k, temperature"),
        ("top-p", {"p": 0}, "decoder 'top-p': p must be above 0 and at most 1, not 0.0"),
        ("top-p", {"p": 1.5}, "p must be above 0 and at most 1, not 1.5"),
        ("top-p", {"p": "nan"}, "p must be above 0 and at most 1, not nan"),
        ("temperature", {"temperature": "-1"}, "temperature must be a number above 0, not -1.0"),
        ("temperature", {"temperature": "nan"}, "temperature must be a number above 0, not nan"),
        ("temperature", {"temperature": math.inf}, "temperature must be a number above 0, not inf"),
        ("temperature", {"temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ("temperature", {"temperature": [1]}, r"temperature must be a number, not \[1\]"),
        ("greedy", {"temperature": 1}, "decoder 'greedy' has no option 'temperature'"),
    ],
)
def test_options_that_are_not_accepted_are_refused(name: str, given_options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        registry.make_decoder(name, given_options)


@pytest.mark.parametrize(
    "wrong", [lambda: TopK(0), lambda: TopK(5, -1.0), lambda: Temperature(0.0), lambda: TopP(0.0)]
)
def test_a_decoder_cannot_be_made_wrong_in_a_program_either(wrong: Any) -> None:
    with pytest.raises(OptionError):
        wrong()


@pytest.mark.parametrize(
    ("name", "decoder", "written"),
    [
        ("greedy", Greedy(), {}),
        ("temperature", Temperature(0.25), {"temperature": 0.25}),
        ("top-k", TopK(5, 2.0), {"k": 5, "temperature": 2.0}),
    ],
)
def test_decoders_come_back_from_json_the_same(name: str, decoder: Decoder, written: dict[str, Any]) -> None:
    assert options.to_json(decoder) == written
    assert registry.make_decoder(name, written) == decoder
    assert registry.make_decoder(name, {key: str(value) for key, value in written.items()}) == decoder
    assert isinstance(decoder, Decoder)
