"""Recent words beside a model: their weights, what they add to its probabilities, and when they help."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from genrun_core.counting.recent import RecentWords, count_recent, fit_recent

VOCABULARY = 6
DOCUMENTS = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=14), min_size=1, max_size=4)
RECENT = st.builds(RecentWords, st.integers(2, 9), st.sampled_from([0.5, 7.0, 300.0]), st.sampled_from([0.0, 4.0]))


def joined(documents: list[list[int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    ids = np.array([token for document in documents for token in document], np.int32)
    return ids, np.cumsum([0, *map(len, documents)])


def by_the_formula(recent: RecentWords, text: list[int]) -> list[float]:
    """What the tokens of the text so far add to each token of the vocabulary, a token at a time."""
    added = [0.0] * VOCABULARY
    for distance in range(2, min(recent.size, len(text)) + 1):
        place = len(text) - distance
        weight = 1.0
        if place >= 1 and text[place - 1] == text[-1]:
            weight += recent.match
            if place >= 2 and text[place - 2] == text[-2]:
                weight += 3 * recent.match
        added[text[place]] += weight * math.exp(-distance / (0.4 * recent.size))
    return added


@given(RECENT, st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=20))
def test_the_next_token_is_likely_by_the_formula(recent: RecentWords, text: list[int]) -> None:
    model = np.random.default_rng(0).dirichlet(np.ones(VOCABULARY))
    added = np.array(by_the_formula(recent, text))
    expected = (recent.trust * model + added) / (recent.trust + added.sum())
    found = np.exp(recent.mix_next(np.log(model), np.array(text)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found.sum() == pytest.approx(1)


@given(RECENT, DOCUMENTS)
def test_whole_documents_are_predicted_as_token_by_token_and_know_nothing_of_each_other(
    recent: RecentWords, documents: list[list[int]]
) -> None:
    model = np.random.default_rng(0).dirichlet(np.ones(VOCABULARY))
    predicted = [(text[:end], text[end]) for text in documents for end in range(1, len(text))]
    logs = np.log(model)[[token for _, token in predicted]] if predicted else np.zeros(0)
    found = recent.mix(logs, count_recent(*joined(documents), recent.size))
    expected = [recent.mix_next(np.log(model), np.array(text))[token] for text, token in predicted]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def a_text(repeating: bool) -> NDArray[np.int32]:
    """A text of parts of 100 tokens; with ``repeating`` each part is of ten words of its own."""
    random = np.random.default_rng(0)
    parts = [random.choice(200, 10, replace=False) if repeating else np.arange(200) for _ in range(40)]
    return np.concatenate([random.choice(part, 100) for part in parts]).astype(np.int32)


@pytest.mark.parametrize("repeating", [True, False])
def test_recent_words_count_only_where_they_help(repeating: bool) -> None:
    ids = a_text(repeating)
    counts = count_recent(ids, np.array([0, len(ids)]), 50)
    even = np.full(len(ids) - 1, -math.log(200))
    fitted = fit_recent(even, counts, np.arange(len(even)) // 100, 50)
    assert (fitted is not None) == repeating
    if fitted is not None:
        recent, logs = fitted
        assert recent.size == 50
        assert logs.mean() > even.mean() + 1
        assert recent.mix(even, counts).mean() >= logs.mean() - 0.01


def test_one_block_decides_nothing() -> None:
    ids = a_text(repeating=True)
    counts = count_recent(ids, np.array([0, len(ids)]), 50)
    assert fit_recent(np.full(len(ids) - 1, -9.0), counts, np.zeros(len(ids) - 1, np.int64), 50) is None


def test_the_weights_are_read_back_as_they_were_and_damaged_ones_refused() -> None:
    recent = RecentWords(500, 800.0, 30.0)
    assert RecentWords.from_arrays(recent.to_arrays()) == recent
    assert RecentWords.from_arrays({}) is None
    for damaged in ([1, 800, 30], [500.5, 800, 30], [500, 0, 30], [500, 800, -1], [math.nan] * 3):
        with pytest.raises(ValueError, match=r"^the weights of recent words are no weights$"):
            RecentWords.from_arrays({"recent": np.array(damaged)})
    with pytest.raises(ValueError, match=r"^the weights of recent words are no weights$"):
        RecentWords.from_arrays({"recent": np.array([500.0, 800.0])})
