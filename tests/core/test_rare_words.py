"""Words that occur once teach a network where new words come."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED, Batches, DocumentBatches
from genrun_core.training.batching.noise import EpochNoise, InputNoise, RareWords
from genrun_core.training.batching.running_text import RunningBatches
from genrun_core.training.prepared import prepare

UNKNOWN, OFTEN = 0, 1
IDS = np.array([OFTEN, 2, OFTEN, 3, OFTEN, 4, OFTEN, 5, OFTEN, 6] * 1, np.int32)
RARE = RareWords(np.array([False, False, True, True, True, True, True]), UNKNOWN, 0.5)


def batches(kind: type[DocumentBatches] | type[RunningBatches]) -> Batches:
    shards = TokenShards(IDS, np.array([0, 5, 10]))
    return kind(shards, np.arange(2), batch_size=2, sequence_length=3, seed=0, noise=EpochNoise(rare=RARE))


@pytest.mark.parametrize("kind", [DocumentBatches, RunningBatches])
def test_only_words_that_occur_once_are_hidden_and_others_in_each_epoch(
    kind: type[DocumentBatches] | type[RunningBatches],
) -> None:
    made = batches(kind)
    seen = Counter[int]()
    for epoch in range(200):
        for batch in made.epoch(epoch):
            seen.update(batch.targets[batch.targets != IGNORED].tolist())
            # What is predicted and then read is the same token.
            going = batch.targets[:, 1:] != IGNORED
            assert (batch.inputs[:, 1:][going] == batch.targets[:, :-1][going]).all()
    hidden, shown = seen[UNKNOWN], sum(seen[word] for word in range(2, 7))
    assert 0.4 < hidden / (hidden + shown) < 0.6
    assert all(seen[word] for word in range(2, 7) if np.not_equal(IDS, word)[[0, 5]].all())
    whole = sum(seen.values())
    assert seen[OFTEN] == whole - hidden - shown


@pytest.mark.parametrize("kind", [DocumentBatches, RunningBatches])
def test_an_epoch_that_is_gone_into_hides_what_it_would_have(
    kind: type[DocumentBatches] | type[RunningBatches],
) -> None:
    made = batches(kind)
    for epoch in range(3):
        whole = [batch.inputs.tolist() for batch in made.epoch(epoch)]
        assert [batch.inputs.tolist() for batch in made.epoch(epoch, 1)] == whole[1:]


def test_a_validation_hides_nothing() -> None:
    for kind in (DocumentBatches, RunningBatches):
        assert all(UNKNOWN not in batch.targets for batch in batches(kind).in_order())


def test_nothing_is_hidden_without_a_rate_an_unknown_word_or_rare_ones() -> None:
    assert RareWords.of(np.array([3, 1]), 0, 0.0) is None
    assert RareWords.of(np.array([3, 1]), None, 0.5) is None
    assert RareWords.of(np.array([3, 2]), 0, 0.5) is None


def test_a_network_begins_with_the_unknown_words_that_an_epoch_has(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(f"the word{i} comes\n" for i in range(40)), "utf-8")
    recipe = load_recipe("default", {"validation": "0", "patience": "0"})
    prepared = prepare(RunFolder.create(tmp_path / "run", recipe, [str(corpus)]), recipe)
    unknown = prepared.corpus.tokenizer.special("unk")
    assert unknown is not None
    assert prepared.frequencies[unknown] == 20
    assert prepared.frequencies.max() == 40


def test_noise_replaces_words_that_are_read_and_none_that_are_predicted() -> None:
    shards = TokenShards(IDS, np.array([0, 5, 10]))
    noise = InputNoise.of(shards, np.arange(2), 7, specials=1, rate=1.0)
    assert noise is not None
    # 1 comes five times, before four others; 6 only ends a document, where nothing follows.
    assert noise.rates.tolist() == [0, 0.8, 1, 1, 1, 1, 0]
    drawn = np.diff(noise.cumulative, prepend=0)
    assert drawn == pytest.approx(np.array([0, 4, 1, 1, 0, 1, 1]) / 8)
    made = DocumentBatches(
        shards, np.arange(2), batch_size=2, sequence_length=9, seed=0, noise=EpochNoise(inputs=noise)
    )
    plain = DocumentBatches(shards, np.arange(2), batch_size=2, sequence_length=9, seed=0)
    changed = 0
    for epoch in range(50):
        for noisy, clean in zip(made.epoch(epoch), plain.epoch(epoch), strict=True):
            assert noisy.targets.tolist() == clean.targets.tolist()
            assert ((noisy.inputs == 0) == (clean.inputs == 0)).all()
            changed += int((noisy.inputs != clean.inputs).sum())
    assert changed > 50
    assert InputNoise.of(shards, np.arange(2), 7, specials=1, rate=0.0) is None
    assert InputNoise.of(TokenShards(IDS[:1], np.array([0, 1])), np.arange(1), 7, specials=1, rate=1.0) is None
