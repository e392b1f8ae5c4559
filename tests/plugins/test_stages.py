"""Every stage against its formula, written out plainly, one row and one number at a time.

The formulas are those of Hugging Face's logits processors where there is one, else llama.cpp's or the paper's.
Differences by choice are ties, which have tests of their own, and a k beyond the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genrun import registry
from genrun.errors import OptionError
from genrun.sampling import Candidates, own_draws
from genrun_plugins.decoders.cutting.min_p import MinP
from genrun_plugins.decoders.cutting.top_n_sigma import TopNSigma
from genrun_plugins.decoders.cutting.truncation import Epsilon, Eta
from genrun_plugins.decoders.cutting.typical import Typical
from genrun_plugins.decoders.cutting.xtc import Xtc
from genrun_plugins.decoders.dynamic_temperature import DynamicTemperature
from genrun_plugins.decoders.mirostat import Mirostat
from genrun_plugins.decoders.rare import Rare
from genrun_plugins.decoders.repeating.dry import Dry
from genrun_plugins.decoders.repeating.no_repeat_ngram import NoRepeatNgram
from genrun_plugins.decoders.repeating.penalties import Frequency, Presence, Repetition
from genrun_plugins.decoders.temperature import Temperature
from genrun_plugins.decoders.top_k import TopK
from genrun_plugins.decoders.top_p import TopP
from genrun_plugins.decoders.wording.min_length import MinLength
from genrun_plugins.decoders.wording.phrases import Banned, Wanted

ARRAYS, ROWS, WIDTH = 1000, 4, 24
EDGE = 1e-6  # a candidate whose figure is this near to its bound may be in or out, by rounding
Row = list[float]


class Words:
    """A vocabulary whose words are their ids."""

    words = tuple(map(str, range(WIDTH)))
    end_ids = (3, 5)
    training_runs = None

    def encodings(self, phrase: str) -> Sequence[tuple[int, ...]]:
        return [tuple(map(int, phrase.split()))]


def softmax(row: Row) -> Row:
    highest = max(row)
    weights = [math.exp(value - highest) for value in row]
    return [weight / math.fsum(weights) for weight in weights]


def entropy(row: Row) -> float:
    return -math.fsum(p * math.log(p) for p in softmax(row) if p > 0)


def masked(row: Row, kept: Sequence[bool]) -> Row:
    return [value if stays else -math.inf for value, stays in zip(row, kept, strict=True)]


def near(values: Sequence[float], bound: float) -> bool:
    return any(abs(value - bound) < EDGE * max(1, abs(bound)) for value in values)


class OnTheEdgeError(Exception):
    """Rounding decides about this row."""


def above(row: Row, values: Row, bound: float) -> Row:
    if near(values, bound):
        raise OnTheEdgeError
    highest = max(row)
    return masked(row, [value >= bound or row[i] == highest for i, value in enumerate(values)])


def slow_top_k(stage: TopK, row: Row, ids: list[int], draw: float) -> Row:
    kept = sorted(range(len(row)), key=lambda i: (-row[i], i))[: stage.k]
    return masked(row, [i in kept for i in range(len(row))])


def slow_top_p(stage: TopP, row: Row, ids: list[int], draw: float) -> Row:
    probabilities, together = softmax(row), 0.0
    kept = set[int]()
    for i in sorted(range(len(row)), key=lambda i: -probabilities[i]):
        if abs(together - stage.p) < EDGE:
            raise OnTheEdgeError
        if together < stage.p:
            kept.add(i)
            together += probabilities[i]
    return masked(row, [i in kept for i in range(len(row))])


def slow_min_p(stage: MinP, row: Row, ids: list[int], draw: float) -> Row:
    probabilities = softmax(row)
    return above(row, probabilities, stage.p * max(probabilities))


def slow_typical(stage: Typical, row: Row, ids: list[int], draw: float) -> Row:
    probabilities, own = softmax(row), entropy(row)
    distances = [abs(-math.log(p) - own) if p > 0 else math.inf for p in probabilities]
    order, together = sorted(range(len(row)), key=lambda i: distances[i]), 0.0
    kept = set[int]()
    for i in order:
        if abs(together - stage.mass) < EDGE:
            raise OnTheEdgeError
        if together < stage.mass and probabilities[i] > 0:
            kept.add(i)
            together += probabilities[i]
    last = max(distances[i] for i in kept)
    if near([distance for i, distance in enumerate(distances) if i not in kept], last):
        raise OnTheEdgeError
    return masked(row, [i in kept for i in range(len(row))])


def slow_epsilon(stage: Epsilon, row: Row, ids: list[int], draw: float) -> Row:
    return above(row, softmax(row), stage.epsilon)


def slow_eta(stage: Eta, row: Row, ids: list[int], draw: float) -> Row:
    return above(row, softmax(row), min(stage.epsilon, math.sqrt(stage.epsilon) * math.exp(-entropy(row))))


def slow_top_n_sigma(stage: TopNSigma, row: Row, ids: list[int], draw: float) -> Row:
    left = [value for value in row if value > -math.inf]
    mean = math.fsum(left) / len(left)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in left) / len(left))
    return above(row, row, max(left) - stage.n * deviation)


def slow_xtc(stage: Xtc, row: Row, ids: list[int], draw: float) -> Row:
    probabilities = softmax(row)
    if near(probabilities, stage.threshold):
        raise OnTheEdgeError
    order = sorted(range(len(row)), key=lambda i: (-probabilities[i], i))
    likely = [i for i in order if probabilities[i] >= stage.threshold]
    coin = float(own_draws(np.array([draw], np.float32), "xtc")[0])
    gone = likely[:-1] if coin < stage.probability and len(likely) > 1 else []
    return masked(row, [i not in gone for i in range(len(row))])


def slow_dynamic_temperature(stage: DynamicTemperature, row: Row, ids: list[int], draw: float) -> Row:
    left = sum(value > -math.inf for value in row)
    share = entropy(row) / math.log(left) if left > 1 else 0
    temperature = stage.low + (stage.high - stage.low) * share**stage.exponent
    return [value / temperature for value in row]


def slow_temperature(stage: Temperature, row: Row, ids: list[int], draw: float) -> Row:
    return [value / stage.temperature for value in row]


def slow_repetition(stage: Repetition, row: Row, ids: list[int], draw: float) -> Row:
    seen = ids[-stage.window :]
    return [
        (value * stage.penalty if value < 0 else value / stage.penalty) if i in seen else value
        for i, value in enumerate(row)
    ]


def slow_presence(stage: Presence, row: Row, ids: list[int], draw: float) -> Row:
    return [value - stage.penalty * (i in ids[-stage.window :]) for i, value in enumerate(row)]


def slow_frequency(stage: Frequency, row: Row, ids: list[int], draw: float) -> Row:
    return [value - stage.penalty * ids[-stage.window :].count(i) for i, value in enumerate(row)]


def slow_dry(stage: Dry, row: Row, ids: list[int], draw: float) -> Row:
    breakers = {int(word) for word in stage.breakers}
    seen, found = ids[-stage.window :], list(row)
    for token in set(seen) - breakers:
        longest = 0
        for place in [i for i, other in enumerate(seen) if other == token]:
            length = 0
            while length < place and seen[place - 1 - length] == seen[-1 - length] not in breakers:
                length += 1
            longest = max(longest, length)
        if longest >= stage.allowed:
            found[token] -= stage.multiplier * stage.base ** (longest - stage.allowed)
    return found


def slow_no_repeat_ngram(stage: NoRepeatNgram, row: Row, ids: list[int], draw: float) -> Row:
    ngrams = {tuple(ids[i : i + stage.n]) for i in range(len(ids) - stage.n + 1)}
    end = tuple(ids[len(ids) - stage.n + 1 :])
    return masked(row, [(*end, i) not in ngrams for i in range(len(row))])


def slow_rare(stage: Rare, row: Row, ids: list[int], draw: float) -> Row:
    return [value + stage.bias * (token >= stage.from_id) for token, value in enumerate(row)]


def slow_banned(stage: Banned, row: Row, ids: list[int], draw: float) -> Row:
    phrases = [[int(word) for word in phrase.split()] for phrase in stage.phrases]
    gone = {phrase[-1] for phrase in phrases if ids[len(ids) - len(phrase) + 1 :] == phrase[:-1]}
    return masked(row, [i not in gone for i in range(len(row))])


def slow_wanted(stage: Wanted, row: Row, ids: list[int], draw: float) -> Row:
    phrases = [[int(word) for word in phrase.split()] for phrase in stage.phrases]
    up = {phrase[-1] for phrase in phrases if ids[len(ids) - len(phrase) + 1 :] == phrase[:-1]}
    return [value + stage.bias * (i in up) for i, value in enumerate(row)]


Make = Callable[[np.random.Generator], Any]
STAGES: dict[str, tuple[Make, Callable[..., Row]]] = {
    "temperature": (lambda r: Temperature(r.uniform(0.1, 3)), slow_temperature),
    "dynamic-temperature": (
        lambda r: DynamicTemperature(r.uniform(0.1, 1), r.uniform(1, 2), r.uniform(0.5, 2)),
        slow_dynamic_temperature,
    ),
    "top-k": (lambda r: TopK(int(r.integers(1, 30))), slow_top_k),
    "top-p": (lambda r: TopP(r.uniform(0.05, 0.99)), slow_top_p),
    "min-p": (lambda r: MinP(r.uniform(0.001, 0.9)), slow_min_p),
    "typical": (lambda r: Typical(r.uniform(0.05, 0.99)), slow_typical),
    "epsilon": (lambda r: Epsilon(r.uniform(0.001, 0.3)), slow_epsilon),
    "eta": (lambda r: Eta(r.uniform(0.001, 0.3)), slow_eta),
    "top-n-sigma": (lambda r: TopNSigma(r.uniform(0.1, 3)), slow_top_n_sigma),
    "xtc": (lambda r: Xtc(r.uniform(0.01, 0.5), r.random()), slow_xtc),
    "repetition": (lambda r: Repetition(r.uniform(0.5, 2), int(r.integers(1, 9))), slow_repetition),
    "presence": (lambda r: Presence(r.uniform(-1, 2), int(r.integers(1, 9))), slow_presence),
    "frequency": (lambda r: Frequency(r.uniform(-1, 2), int(r.integers(1, 9))), slow_frequency),
    "dry": (
        lambda r: Dry(r.uniform(0, 2), r.uniform(1, 2), int(r.integers(1, 4)), int(r.integers(3, 20)), ("1",)),
        slow_dry,
    ),
    "no-repeat-ngram": (lambda r: NoRepeatNgram(int(r.integers(1, 5))), slow_no_repeat_ngram),
    "rare": (lambda r: Rare(int(r.integers(0, 30)), r.uniform(-2, 2)), slow_rare),
    "banned": (lambda r: Banned(("7", "0 1", "2 2 0")), slow_banned),
    "wanted": (lambda r: Wanted(("7", "0 1", "2 2 0"), r.uniform(-2, 2)), slow_wanted),
}


def rows_of(random: np.random.Generator) -> NDArray[np.float32]:
    logits = random.normal(0, random.uniform(0.5, 4), (ROWS, WIDTH)).astype(np.float32)
    logits[random.random(logits.shape) < random.uniform(0, 0.4)] = -np.inf
    logits[:, random.integers(WIDTH)] = 1.5
    return logits


def followed(stage: Any, ids: Sequence[int]) -> Any:
    """The state of a row whose prompt is the first half of ``ids``."""
    if not hasattr(stage, "first"):
        return None
    state = stage.first(ids[: len(ids) // 2])
    for token in ids[len(ids) // 2 :]:
        state = stage.follow(state, token)
    return state


def spread(candidates: Candidates) -> NDArray[np.float64]:
    whole = candidates.whole().astype(np.float64)
    weights = np.exp(whole - whole.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_keeps_and_weighs_what_its_formula_says(name: str) -> None:
    make, slow = STAGES[name]
    random, compared = np.random.default_rng(len(name)), 0
    for _ in range(ARRAYS // ROWS):
        stage, logits = make(random), rows_of(random)
        pasts = [random.integers(0, 4, random.integers(0, 14)).tolist() for _ in range(ROWS)]
        draws = random.random(ROWS, np.float32)
        bound = stage.bind(Words()) if hasattr(stage, "bind") else stage
        states, before = [followed(bound, past) for past in pasts], logits.copy()
        logits.flags.writeable = False
        found = bound.apply(Candidates(None, logits, WIDTH), states, draws)
        assert (logits == before).all()
        probabilities = spread(found)
        for row, past, draw, own in zip(logits.tolist(), pasts, draws.tolist(), probabilities, strict=True):
            try:
                wanted = slow(stage, row, past, draw)
            except OnTheEdgeError:
                continue
            if max(wanted) == -math.inf:
                wanted = row
            compared += 1
            assert ((own > 0) == (np.array(softmax(wanted)) > 0)).all(), (stage, row, past)
            assert np.abs(own - softmax(wanted)).max() < 1e-6, (stage, row, past)
    assert compared > 0.9 * ARRAYS


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_never_adds_what_was_out_and_a_row_depends_on_no_other(name: str) -> None:
    random = np.random.default_rng(5)
    for width in (WIDTH, 700):  # 700: what is left is packed into few columns
        for _ in range(20):
            stage = STAGES[name][0](random)
            bound = stage.bind(Words()) if hasattr(stage, "bind") else stage
            logits = random.normal(0, 3, (ROWS, width)).astype(np.float32)
            logits[random.random(logits.shape) < 0.3] = -np.inf
            logits[:, 0] = 2
            states = [followed(bound, random.integers(0, 9, 12).tolist()) for _ in range(ROWS)]
            draws = random.random(ROWS, np.float32)
            before = MinP(0.01).apply(Candidates(None, logits, width), [None] * ROWS, draws)
            together = bound.apply(before, states, draws).whole()
            assert (together[np.isneginf(before.whole())] == -np.inf).all()
            assert (together.max(axis=1) > -np.inf).all()
            for i in range(ROWS):
                part = slice(i, i + 1)
                first = MinP(0.01).apply(Candidates(None, logits[part], width), [None], draws[part])
                alone = bound.apply(first, states[part], draws[part]).whole()
                assert alone[0].tobytes() == together[i].tobytes()


def test_ties() -> None:
    even, draws = Candidates(None, np.zeros((1, 6), np.float32), 6), np.zeros(1, np.float32)

    def left(stage: Any) -> list[int]:
        kept: list[int] = np.flatnonzero(stage.apply(even, [None], draws).whole()[0] > -np.inf).tolist()
        return kept

    assert left(TopK(2)) == [0, 1]  # exactly k, the lowest ids; transformers keeps all
    assert left(TopK(100)) == [0, 1, 2, 3, 4, 5]
    assert left(TopP(0.5)) == [0, 1, 2, 3, 4, 5]  # all or none
    assert left(Typical(0.5)) == [0, 1, 2, 3, 4, 5]
    assert left(Epsilon(1.0)) == [0, 1, 2, 3, 4, 5]  # the likeliest stay
    assert left(Xtc(0.1, 1.0)) == [5]  # of the likely ones the last


def test_the_coin_of_xtc_is_fair_and_does_not_know_the_draw() -> None:
    draws = (np.arange(2**16, dtype=np.float32) + np.float32(0.5)) / np.float32(2**16)
    coins = own_draws(draws, "xtc") < 0.3
    assert abs(coins.mean() - 0.3) < 0.01
    assert all(abs(part.mean() - 0.3) < 0.03 for part in np.split(coins, 16))
    assert (own_draws(draws, "xtc") != own_draws(draws, "other")).any()


def test_the_least_length_counts_new_tokens() -> None:
    stage = MinLength(2).bind(Words())
    states = [stage.first([1, 1, 1]), followed(stage, [1, 1, 1, 1]), stage.follow(stage.first([]), 1)]
    logits = np.zeros((3, 8), np.float32)
    kept = stage.apply(Candidates(None, logits, 8), states, np.zeros(3, np.float32)).logits > -np.inf
    assert kept[:, list(Words.end_ids)].tolist() == [[False, False], [True, True], [False, False]]


def test_mirostat_follows_its_formula() -> None:
    random = np.random.default_rng(2)
    for _ in range(ARRAYS // 4):
        chooser = Mirostat(random.uniform(0.5, 4), random.uniform(0, 1))
        logits, state = random.normal(0, 2, WIDTH).astype(np.float32), random.uniform(0.2, 8)
        probabilities = softmax(logits.tolist())
        kept = [-math.log2(p) <= state or p == max(probabilities) for p in probabilities]
        if near([-math.log2(p) for p in probabilities], state):
            continue
        left, draw = softmax(masked(logits.tolist(), kept)), random.random(1, np.float32)
        candidates = Candidates(None, logits[None], WIDTH)
        chosen = chooser.pick(candidates, [state], draw)
        below = math.fsum(left[: chosen[0]])
        assert below - 1e-7 <= draw[0] <= below + left[chosen[0]] + 1e-7
        [after] = chooser.adapt(candidates, [state], chosen)
        assert after == pytest.approx(state - chooser.eta * (-math.log2(left[chosen[0]]) - chooser.tau), abs=1e-6)


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("xtc:0", "threshold must be above 0"),
        ("min-p:0", "p must be above 0 and at most 1"),
        ("typical:1.5", "mass must be above 0"),
        ("eta:nan", "epsilon must be above 0"),
        ("top-n-sigma:0", "n must be a number above 0"),
        ("repetition:0", "penalty must be a number from 0.01"),
        ("repetition:5e-324", "penalty must be a number from 0.01"),
        ("frequency:inf", "penalty must be a number, not inf"),
        ("presence:1;window=-1", "window must be 0 or more"),
        ("dry:1;base=0.5", "base must be a number from 1"),
        ("no-repeat-ngram:0", "n must be 1 or more"),
        ("min-length:-1", "n must be 0 or more"),
        ('banned:" "', "phrases must be one or more"),
        ("banned", "needs the option 'phrases'"),
        ("wanted:a;bias=nan", "bias must be a number"),
        ("mirostat:0", "tau must be a number above 0"),
        ("dynamic-temperature:2;high=1", "high must not be below low"),
    ],
)
def test_options_out_of_range_are_refused(chain: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        registry.make_decoder(chain)
    assert message in str(caught.value)


def test_presets_have_the_orders_of_their_programs() -> None:
    def names(chain: str) -> list[str]:
        return [part["name"] for part in registry.chain_json(registry.make_decoder(chain))]

    everything = "temperature=0.7;top_k=9;top_p=0.9;min_p=0.1;typical_p=0.9;epsilon_cutoff=0.1;eta_cutoff=0.1"
    assert names(f"huggingface:{everything};repetition_penalty=1.2;no_repeat_ngram_size=2;min_new_tokens=2") == [
        "repetition", "no-repeat-ngram", "min-length", "temperature",
        "top-k", "top-p", "min-p", "typical", "epsilon", "eta",
    ]  # fmt: skip
    assert names("huggingface") == ["top-k"]
    more = "dry_multiplier=1;top_nsigma=1;typical=0.9;xtc_probability=0.5;repeat_penalty=1.1;presence_penalty=1"
    assert names(f"llama.cpp:0.7;{more};frequency_penalty=1") == [
        "repetition", "frequency", "presence", "dry", "top-n-sigma",
        "top-k", "typical", "top-p", "min-p", "xtc", "temperature",
    ]  # fmt: skip
