"""Scores of a model file against the log-softmax of its Keras network, token by token, on texts it has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import genrun
from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402

from genrun.scoring.scores import SessionScorer  # noqa: E402
from support.keras_files import load_network  # noqa: E402

TOLERANCE = 1e-4  # for the logarithm of each token's probability


def by_keras(network: keras.Model, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
    """Return the log-probability of every id but the first, computed from Keras's logits for whole sequences."""
    found: dict[int, NDArray[np.float64]] = {}
    for length, numbers in groupby(
        sorted(range(len(sequences)), key=lambda i: len(sequences[i])), lambda i: len(sequences[i])
    ):
        rows = list(numbers)
        ids = np.array([sequences[i] for i in rows]).reshape(len(rows), length)
        logits = network.predict_on_batch(ids[:, :-1]).astype(np.float64)  # [rows, length - 1, vocabulary]
        logs = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))
        logs -= logits.max(-1, keepdims=True)
        found |= zip(rows, np.take_along_axis(logs, ids[:, 1:, None], -1)[..., 0], strict=True)
    return [found[i] for i in range(len(sequences))]


def largest_difference(model_file: Path, network_file: Path, texts: Iterable[str]) -> float:
    """Score ``texts`` with the model file and with Keras; return how far a token's log-probability is off at most."""
    model, listed = genrun.load(model_file), list(texts)
    sequences = [model.tokenizer.encode_document(text).ids for text in listed]
    scores = list(model.score_each(listed))
    differences = [
        np.abs(np.array(score.token_log_probabilities) - expected).max()
        for score, expected in zip(scores, by_keras(load_network(network_file), sequences), strict=True)
    ]
    assert len(differences) == len(listed)
    return float(max(differences))


def lines_of(folder: Path, pattern: str) -> list[str]:
    lines = [line.strip() for path in sorted(folder.glob(pattern)) for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line]


def test_scores_are_keras_own_log_probabilities(songs_run: Path, songs_model: Path, samples: Path) -> None:
    """On songs as it knows them, on headlines, which it does not, and on a text longer than any of them."""
    songs, headlines = lines_of(samples / "songs", "*.txt"), lines_of(samples / "headlines", "*.csv")
    texts = ["", *songs, *headlines[:200], " ".join(songs)[:3000]]
    assert 0 < largest_difference(songs_model, songs_run / "model.keras", texts) <= TOLERANCE


def test_scores_of_held_out_lyrics_are_keras_own(songs_run: Path, songs_model: Path, shared_data: Path) -> None:
    lines = lines_of(shared_data / "songs", "**/*.txt")[:3000]
    assert len(lines) == 3000
    assert 0 < largest_difference(songs_model, songs_run / "model.keras", lines) <= TOLERANCE


def test_the_state_that_a_running_text_carries_is_keras_own(
    songs_run: Path, songs_model: Path, samples: Path
) -> None:
    """Document by document with the state carried on, against Keras over all of them in one sequence."""
    model = genrun.load(songs_model)
    scorer = SessionScorer(model._session)
    whole = tuple(
        token for text in lines_of(samples / "songs", "*.txt") for token in model.tokenizer.encode(text).ids
    )
    [expected] = by_keras(load_network(songs_run / "model.keras"), [whole])
    states, found = None, []
    cuts = [*range(0, len(whole) - 1, 7), len(whole) - 1]
    for start, end in pairwise(cuts):
        logs, states = scorer.carry(whole[start : end + 1], states)
        found.append(logs)
    assert len(whole) > 300
    assert np.concatenate(found) == pytest.approx(expected, abs=TOLERANCE)
