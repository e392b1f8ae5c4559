"""The sample on which a quantization is measured: which documents it has, and their perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED
from genrun_export.quantizing import sample as sampling
from genrun_export.quantizing.sample import draw_sample


def shards_of(lengths: Sequence[int], held_out: int = 0) -> TokenShards:
    """Documents of the ids 1, 2, 3, …, which go on from document to document; the last ones are held out."""
    ids, offsets = np.arange(1, sum(lengths) + 1, dtype=np.int32), np.cumsum([0, *lengths], dtype=np.int64)
    return TokenShards(ids, offsets, np.arange(len(lengths) - held_out, len(lengths)))


class Counting:
    """Predicts the following id with probability one half, all others of 9,999 together with the other half."""

    def __init__(self) -> None:
        self.fed: list[int] = []

    def initial_states(self, batch: int) -> list[NDArray[Any]]:
        return [np.zeros((batch, 1), np.float32)]

    def step(
        self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[np.float32], list[NDArray[Any]]]:
        self.fed += tokens.tolist()
        logits = np.zeros((len(tokens), 10_000), np.float32)
        logits[np.arange(len(tokens)), tokens + 1] = math.log(9_999)
        return logits, list(states)


def test_the_perplexity_is_that_of_the_predicted_tokens() -> None:
    sample = draw_sample(shards_of([4, 1, 7, 2]), TrainingSettings(), 10_000)
    assert (sample.documents, sample.tokens, sample.held_out) == (4, 3 + 6 + 1, False)
    assert sample.perplexity(Counting()) == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("running", [False, True])
def test_documents_held_out_for_validation_are_taken(running: bool) -> None:
    settings = TrainingSettings(running_text=running)
    sample = draw_sample(shards_of([5] * 40, held_out=10), settings, 10_000)
    assert (sample.documents, sample.held_out, sample.carries) == (10, True, running)
    steps = Counting()
    assert sample.perplexity(steps) == pytest.approx(2, rel=1e-5)
    assert min(filter(None, steps.fed)) > 150  # the last ones


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("lengths", [[9] * 800, [7_000]], ids=["many documents", "one document"])
def test_a_sample_is_no_larger_than_it_need_be(
    lengths: list[int], running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "_TOKENS", 1200)
    settings = TrainingSettings(running_text=running, sequence_length=16)
    sample = draw_sample(shards_of(lengths), settings, 10_000)
    assert 1000 < sample.tokens < 2000
    assert sample.tokens == sum(int((batch.targets != IGNORED).sum()) for batch in sample.batches)
    assert sample.perplexity(Counting()) == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("value", [math.inf, -math.inf, None])
def test_logits_that_are_no_numbers_are_infinitely_bad(value: float | None) -> None:
    class Broken(Counting):
        def step(self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]) -> Any:
            if value is None:
                raise ModelFileError("the decoding step failed")
            return np.full((len(tokens), 10_000), value, np.float32), list(states)

    assert draw_sample(shards_of([4, 4]), TrainingSettings(), 10_000).perplexity(Broken()) == math.inf
