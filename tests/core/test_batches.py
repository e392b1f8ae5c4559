"""Batches: every next token is predicted exactly once an epoch, padding never, and chance comes from the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED, Batch, DocumentBatches


def shards_of(lengths: list[int]) -> TokenShards:
    """Documents whose ids are all different, from 1."""
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    return TokenShards(np.arange(1, offsets[-1] + 1, dtype=np.int32), offsets)


def make(lengths: list[int], **settings: int) -> DocumentBatches:
    chosen = {"batch_size": 4, "sequence_length": 5, "seed": 0, **settings}
    return DocumentBatches(shards_of(lengths), np.arange(len(lengths)), **chosen)  # type: ignore[arg-type]


def predictions(batches: Iterable[Batch]) -> Counter[tuple[int, int]]:
    """Every (token, next token) that a batch asks for."""
    return Counter(
        (int(token), int(target))
        for inputs, targets in batches
        for token, target in zip(inputs.ravel(), targets.ravel(), strict=True)
        if target != IGNORED
    )


@given(
    st.lists(st.integers(0, 23), min_size=1, max_size=30),
    st.integers(1, 8),
    st.integers(1, 9),
    st.integers(0, 3),
)
def test_an_epoch_predicts_every_next_token_exactly_once(
    lengths: list[int], batch_size: int, sequence_length: int, epoch: int
) -> None:
    batches = make(lengths, batch_size=batch_size, sequence_length=sequence_length)
    shards = shards_of(lengths)
    expected = Counter(
        (int(a), int(b)) for i in range(len(shards)) for a, b in zip(shards[i][:-1], shards[i][1:], strict=True)
    )
    shuffled, in_order = list(batches.epoch(epoch)), list(batches.in_order())
    assert predictions(shuffled) == predictions(in_order) == expected
    assert batches.predictions == expected.total()
    assert len(shuffled) == batches.steps(epoch)
    for inputs, targets in shuffled:
        assert inputs.shape == targets.shape
        assert inputs.shape[0] <= batch_size
        assert 1 <= inputs.shape[1] <= sequence_length
        assert (targets != IGNORED).any(axis=1).all()
        assert (inputs[targets == IGNORED] == 0).all()


def test_a_sequence_keeps_its_tokens_together_and_in_order() -> None:
    ((inputs, targets),) = make([4, 2], batch_size=2).in_order()
    assert inputs.tolist() == [[5, 0, 0], [1, 2, 3]]
    assert targets.tolist() == [[6, -1, -1], [2, 3, 4]]


def test_order_comes_from_seed_and_epoch_alone() -> None:
    lengths = [3 + i % 9 for i in range(40)]

    def order(seed: int, epoch: int) -> list[list[list[int]]]:
        return [inputs.tolist() for inputs, _ in make(lengths, seed=seed).epoch(epoch)]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)


@given(st.lists(st.integers(0, 23), min_size=1, max_size=30), st.integers(1, 8), st.integers(0, 3), st.data())
def test_an_epoch_can_be_gone_into_at_any_step(
    lengths: list[int], batch_size: int, epoch: int, data: st.DataObject
) -> None:
    batches = make(lengths, batch_size=batch_size)
    first = data.draw(st.integers(0, batches.steps(epoch)))
    whole, rest = list(batches.epoch(epoch)), list(batches.epoch(epoch, first))
    assert [batch.inputs.tolist() for batch in rest] == [batch.inputs.tolist() for batch in whole[first:]]
    assert [batch.targets.tolist() for batch in rest] == [batch.targets.tolist() for batch in whole[first:]]


def test_sequences_of_like_length_share_a_batch() -> None:
    batches = make([2] * 50 + [20] * 50, batch_size=10, sequence_length=50)
    padded = sum((targets == IGNORED).sum() for _, targets in batches.epoch(0))
    assert padded == 0
