"""Batches of a running text: nothing is predicted twice or never, and a row goes on where it ended."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED, Batch
from genrun_core.training.batching.running_text import RunningBatches

LENGTHS = st.lists(st.integers(0, 23), min_size=1, max_size=30)
SIZES = st.tuples(st.integers(1, 8), st.integers(1, 9))
EPOCHS = st.integers(0, 3)


def make(lengths: list[int], sizes: tuple[int, int] = (4, 5), *, seed: int = 0, first: int = 0) -> RunningBatches:
    """The batches of the documents from ``first`` on, whose ids count up from 1."""
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    shards = TokenShards(np.arange(1, offsets[-1] + 1, dtype=np.int32), offsets)
    documents = np.arange(first, len(lengths))
    return RunningBatches(shards, documents, batch_size=sizes[0], sequence_length=sizes[1], seed=seed)


def rows(batches: list[Batch]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """What each row reads and predicts in a whole epoch."""
    inputs, targets = (np.concatenate(parts, axis=1) for parts in zip(*batches, strict=True))
    return inputs, targets


@given(LENGTHS, SIZES, EPOCHS)
def test_every_token_but_the_first_is_predicted_exactly_once_an_epoch(
    lengths: list[int], sizes: tuple[int, int], epoch: int
) -> None:
    batches = make(lengths, sizes)
    for order in (list(batches.epoch(epoch)), list(batches.in_order())):
        predicted = Counter(
            (int(token), int(target))
            for inputs, targets in order
            for token, target in zip(inputs.ravel(), targets.ravel(), strict=True)
            if target != IGNORED
        )
        assert predicted == Counter((i, i + 1) for i in range(1, sum(lengths)))
        assert batches.predictions == predicted.total()


@given(LENGTHS, SIZES, EPOCHS)
def test_a_row_goes_on_where_it_ended_in_the_batch_before(
    lengths: list[int], sizes: tuple[int, int], epoch: int
) -> None:
    order = list(make(lengths, sizes).epoch(epoch))
    if not order:
        return
    inputs, targets = rows(order)
    known = targets != IGNORED
    assert (inputs[:, 1:] == targets[:, :-1])[known[:, :-1]].all()  # across the ends of batches, too
    assert (known[:, 1:] <= known[:, :-1]).all()  # what is missing is missing at the end
    assert {len(batch.inputs) for batch in order} == {len(inputs)}


@given(LENGTHS, SIZES, EPOCHS)
def test_batches_are_no_larger_than_asked_for_and_as_many_as_said(
    lengths: list[int], sizes: tuple[int, int], epoch: int
) -> None:
    batches = make(lengths, sizes)
    order = list(batches.epoch(epoch))
    assert len(order) == batches.steps(epoch)
    for inputs, targets in order:
        assert inputs.shape == targets.shape
        assert inputs.shape[0] == len(batches) <= sizes[0]
        assert 1 <= inputs.shape[1] <= sizes[1]
        assert (targets != IGNORED).any()


@given(LENGTHS, SIZES, EPOCHS, st.data())
def test_an_epoch_can_be_gone_into_at_any_step(
    lengths: list[int], sizes: tuple[int, int], epoch: int, data: st.DataObject
) -> None:
    batches = make(lengths, sizes)
    first = data.draw(st.integers(0, batches.steps(epoch)))
    whole, rest = list(batches.epoch(epoch)), list(batches.epoch(epoch, first))
    assert [batch.inputs.tolist() for batch in rest] == [batch.inputs.tolist() for batch in whole[first:]]
    assert [batch.targets.tolist() for batch in rest] == [batch.targets.tolist() for batch in whole[first:]]


@pytest.mark.parametrize("epoch", range(3))
def test_where_the_state_is_cut_off_comes_from_seed_and_epoch_alone(epoch: int) -> None:
    def first_width(seed: int, epoch: int) -> int:
        return int(next(make([500], (2, 50), seed=seed).epoch(epoch)).inputs.shape[1])

    assert first_width(1, epoch) == first_width(1, epoch)
    assert len({first_width(1, other) for other in range(9)}) > 3
    assert len({first_width(seed, epoch) for seed in range(9)}) > 3


def test_the_text_of_a_validation_begins_with_its_own_documents() -> None:
    inputs, targets = rows(list(make([3, 4, 5], (1, 4), first=1).in_order()))
    assert inputs.tolist() == [[4, 5, 6, 7, 8, 9, 10, 11]]
    assert targets.tolist() == [[5, 6, 7, 8, 9, 10, 11, 12]]
