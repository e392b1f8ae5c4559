"""The stages beside the logits processors of transformers, over random logits and options.

Differences by choice, all in tests/plugins/test_stages.py: of equal logits, ``top-k`` keeps exactly k; where a stage
would leave a row nothing, the row stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray

from genrun import registry
from genrun.sampling import Candidates

ARRAYS, ROWS, WIDTH, PAST = 1000, 4, 24, 12
END = 3
PHRASES = ((7,), (0, 1), (2, 2, 0))


class Words:
    """A vocabulary whose words are their ids."""

    words = tuple(map(str, range(WIDTH)))
    end_ids = (END,)
    training_runs = None

    def encodings(self, phrase: str) -> Sequence[tuple[int, ...]]:
        return [tuple(map(int, phrase.split()))]


def phrases() -> list[str]:
    return [" ".join(map(str, phrase)) for phrase in PHRASES]


Options = dict[str, Any]
Draw = Callable[[np.random.Generator], Options]
PROCESSORS: dict[str, tuple[Draw, Callable[[Options], Any]]] = {
    "temperature": (
        lambda r: {"temperature": r.uniform(0.1, 3)},
        lambda o: transformers.TemperatureLogitsWarper(o["temperature"]),
    ),
    "top-k": (lambda r: {"k": int(r.integers(1, 30))}, lambda o: transformers.TopKLogitsWarper(o["k"])),
    "top-p": (lambda r: {"p": r.uniform(0.05, 0.99)}, lambda o: transformers.TopPLogitsWarper(o["p"])),
    "min-p": (lambda r: {"p": r.uniform(0.001, 0.9)}, lambda o: transformers.MinPLogitsWarper(o["p"])),
    "typical": (lambda r: {"mass": r.uniform(0.05, 0.99)}, lambda o: transformers.TypicalLogitsWarper(o["mass"])),
    "epsilon": (
        lambda r: {"epsilon": r.uniform(0.001, 0.3)},
        lambda o: transformers.EpsilonLogitsWarper(o["epsilon"]),
    ),
    "eta": (lambda r: {"epsilon": r.uniform(0.001, 0.3)}, lambda o: transformers.EtaLogitsWarper(o["epsilon"])),
    "repetition": (
        lambda r: {"penalty": r.uniform(0.5, 2), "window": 0},
        lambda o: transformers.RepetitionPenaltyLogitsProcessor(o["penalty"]),
    ),
    "no-repeat-ngram": (
        lambda r: {"n": int(r.integers(1, 5))},
        lambda o: transformers.NoRepeatNGramLogitsProcessor(o["n"]),
    ),
    "banned": (
        lambda r: {"phrases": phrases()},
        lambda o: transformers.NoBadWordsLogitsProcessor([list(phrase) for phrase in PHRASES], END),
    ),
    "wanted": (
        lambda r: {"phrases": phrases(), "bias": r.uniform(-2, 2)},
        lambda o: transformers.SequenceBiasLogitsProcessor(dict.fromkeys(PHRASES, o["bias"])),
    ),
    "min-length": (
        lambda r: {"n": int(r.integers(0, 2 * PAST))},
        lambda o: transformers.MinNewTokensLengthLogitsProcessor(PAST // 2, o["n"], END, device="cpu"),
    ),
}


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def ours(name: str, options: Options, logits: NDArray[np.float32], pasts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probabilities that a stage leaves; the first half of each past is the prompt."""
    stage: Any = registry.make_decoder(name, options)
    [link] = getattr(stage, "stages", [stage])
    bound = link.bind(Words()) if hasattr(link, "bind") else link
    states: list[Any] = [None] * len(pasts)
    if hasattr(bound, "first"):
        for row, past in enumerate(pasts.tolist()):
            states[row] = bound.first(past[: PAST // 2])
            for token in past[PAST // 2 :]:
                states[row] = None if states[row] is None else bound.follow(states[row], token)
    left = bound.apply(Candidates(None, logits, WIDTH), states, np.zeros(len(pasts), np.float32))
    return softmax(left.whole().astype(np.float64))


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_stage_leaves_what_the_processor_leaves(name: str) -> None:
    draw, make = PROCESSORS[name]
    random = np.random.default_rng(len(name))
    for _ in range(ARRAYS):
        logits = random.normal(0, random.uniform(0.5, 4), (ROWS, WIDTH)).astype(np.float32)
        pasts = random.integers(0, 4, (ROWS, PAST))
        options = draw(random)
        theirs = make(options)(torch.from_numpy(pasts), torch.from_numpy(logits.astype(np.float64)))
        wanted, found = softmax(theirs.numpy()), ours(name, options, logits, pasts)
        assert ((found > 0) == (wanted > 0)).all(), (options, pasts)
        assert np.abs(found - wanted).max() < 1e-6, (options, pasts)
