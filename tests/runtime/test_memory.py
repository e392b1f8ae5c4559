"""Any number of texts in the memory of one batch: what is left of them is counted, object by object."""

from __future__ import annotations

import gc
import time
import tracemalloc
from itertools import cycle, islice

import pytest

from genrun.model import Model

PROMPTS = ["i", "you don’t", "love , love", "“ stop", "xyzzy you"]


def test_texts_leave_nothing_behind(babble: Model) -> None:
    """Objects are counted rather than the memory of the process, which others use too."""
    results = babble.generate_each(cycle(PROMPTS), seed=7, decoder="top-k", k=5)
    for _ in islice(results, 500):  # whatever is made once has been made
        pass
    counts, sizes = [], []
    tracemalloc.start()
    try:
        for _ in range(4):
            for _ in islice(results, 700):
                pass
            gc.collect()
            counts.append(len(gc.get_objects()))
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert counts[-1] - counts[0] < 200  # batches are not always equally far
    assert sizes[-1] - sizes[0] < 100_000


def test_what_such_a_count_sees(babble: Model) -> None:
    """Guards the test above: kept results would be noticed."""
    gc.collect()
    before = len(gc.get_objects())
    kept = babble.generate_many(islice(cycle(PROMPTS), 700), seed=7)
    gc.collect()
    assert len(gc.get_objects()) - before > 600
    assert len(kept) == 700


@pytest.mark.parametrize("ended", [True, False], ids=["to its end", "left"])
def test_a_call_leaves_nothing_behind(babble: Model, ended: bool) -> None:
    def call() -> None:
        results = babble.generate_each(PROMPTS * 20, seed=7, n=2)
        for _ in results if ended else islice(results, 3):
            pass
        babble.generate("i", seed=7)
        next(babble.stream("i", seed=7))

    def count() -> int:
        gc.collect()
        return len(gc.get_objects())

    for _ in range(3):
        call()
    time.sleep(0.2)  # lanes may be in a step that nobody wants any more
    before = count()
    for _ in range(3):
        call()
    for _ in range(50):
        if (more := count() - before) < 20:
            break
        time.sleep(0.1)
    assert more < 20
