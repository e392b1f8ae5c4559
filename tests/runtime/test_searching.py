"""Texts of a prompt that are found together: the likeliest, different ones, evenly spread ones."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genrun
from genrun.errors import OptionError, PluginError
from genrun.generating.searching import growth
from genrun.generating.searching.spread import Code
from genrun.model import Model
from genrun.results import Result
from support.alphabet import babble_table, random_drift, words, write_model
from support.subwords import chain, subwords

Ids = tuple[int, ...]
SEEDS = 700
END = 3
LENGTH = 3  # most new tokens, unless a call says otherwise
prompts = st.lists(st.sampled_from(["a", "b"]), max_size=3).map(" ".join)
SEARCHES: list[dict[str, Any]] = [{"beam": 9}, {"beam": 9, "length_penalty": 1}, {"distinct": True}, {"spread": True}]


@pytest.fixture(scope="module")
def small(folder: Path) -> Model:
    """Two words and an end: at most fifteen texts of at most three tokens, all of which can be enumerated."""
    tokenizer = words("a", "b")
    drift = random_drift(len(tokenizer))
    drift[END] = 0.2
    about: dict[str, Any] = {"decoder": "temperature", "options": {"temperature": 1.5}, "max_new_tokens": LENGTH}
    path = folder / "small.onnx"
    write_model(path, tokenizer, table=babble_table(len(tokenizer)), drift=drift, **about)
    return genrun.load(path, device="cpu")


def all_texts(model: Model, prompt: str, length: int = LENGTH, temperature: float = 1.0) -> dict[Ids, float]:
    """Return every sequence of new tokens with its log-probability by the model, or as a draw has it.

    A draw, at a ``temperature``, does not draw the special tokens before ``<end>``. Nor does a text from nothing end
    with its first token.
    """
    size = len(model.tokenizer)
    table, drift = babble_table(size).astype(float), random_drift(size).astype(float)
    drift[END] = 0.2
    start = model.tokenizer.encode_prompt(prompt).ids
    found: dict[Ids, float] = {}
    going: list[tuple[Ids, float]] = [((), 0.0)]
    while going:
        ids, before = going.pop()
        text = (*start, *ids)
        logits = (table[text[-1]] + (len(text) - 1) * drift) / temperature
        first = END if prompt or ids else END + 1
        drawn = logits if temperature == 1 else logits[first:]
        logs = logits - math.log(np.exp(drawn).sum())
        for token in range(first, size):
            longer = (*ids, token), before + float(logs[token])
            if token == END or len(longer[0]) == length:
                found[longer[0]] = longer[1]
            else:
                going.append(longer)
    return found


def drawn_texts(model: Model, prompt: str = "") -> dict[Ids, float]:
    """Return the probability with which the decoder of the small model draws each sequence of new tokens."""
    return {ids: math.exp(log) for ids, log in all_texts(model, prompt, temperature=1.5).items()}


def assert_distributed(counts: Mapping[Any, int], expected: Mapping[Any, float]) -> None:
    """Assert that ``counts`` are draws with ``expected`` probabilities: Pearson's test at one in a thousand."""
    total = sum(counts.values())
    assert sum(expected.values()) == pytest.approx(1)
    assert set(counts) <= set(expected)
    frequent = [each for each, p in expected.items() if p * total >= 5]
    pairs = [(counts.get(each, 0), expected[each] * total) for each in frequent]
    rest = total - sum(wanted for _, wanted in pairs)
    pairs.append((total - sum(found for found, _ in pairs), rest + 1e-9 * total))
    statistic = sum((found - wanted) ** 2 / wanted for found, wanted in pairs)
    freedom = len(pairs) - 1
    part = 2 / (9 * freedom)  # the quantile by Wilson and Hilferty, "The distribution of chi-square", 1931
    assert freedom >= 5
    assert statistic < freedom * (1 - part + 3.09 * math.sqrt(part)) ** 3


def ids_of(results: Sequence[Result]) -> list[Ids]:
    return [result.ids for result in results]


# -- beam search -------------------------------------------------------------------------------------------------


@given(prompts, st.integers(1, 5), st.integers(1, 6), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
@settings(max_examples=40)
def test_a_beam_that_is_wide_enough_finds_the_best_texts_of_all(
    small: Model, prompt: str, length: int, n: int, penalty: float
) -> None:
    best = all_texts(small, prompt, length)
    ranked = sorted(best, key=lambda ids: -best[ids] / len(ids) ** penalty)
    found = small.generate_many([prompt], n=n, beam=32, length_penalty=penalty, max_new_tokens=length)
    assert ids_of(found) == ranked[:n]
    assert [result.log_probability for result in found] == pytest.approx([best[ids] for ids in ranked[:n]], abs=1e-5)


@pytest.mark.parametrize("width", [1, 2, 4, 16])
def test_the_probability_of_a_text_of_beam_search_is_its_score(babble: Model, width: int) -> None:
    results = babble.generate_many([""], n=width, beam=width, max_new_tokens=30, casing="none")
    ended = [result for result in results if result.finish_reason == "end"]
    assert ended
    for result in ended:
        score = sum(small_logs(babble, result.ids))
        assert result.log_probability == pytest.approx(score, abs=1e-5)


def small_logs(model: Model, ids: Ids) -> list[float]:
    from genrun.scoring.scores import token_log_probabilities

    start = model.tokenizer.encode_prompt("").ids
    [logs] = token_log_probabilities(model._session, [(*start, *ids)])
    found: list[float] = logs.tolist()
    return found


def test_a_document_of_beam_search_has_the_score_of_the_document(small: Model) -> None:
    results = small.generate_many([""], n=6, beam=32)
    ended = [result for result in results if result.finish_reason == "end"]
    assert len(ended) >= 3
    for result in ended:
        assert small.score(result.text).log_probability == pytest.approx(result.log_probability, abs=1e-5)


def test_a_beam_of_one_place_is_greedy_until_a_text_ends(alphabet: Model) -> None:
    assert alphabet.generate("c", beam=1) == alphabet.generate("c", decoder="greedy") == "cdefgh"


def test_beam_search_depends_on_no_seed_and_on_no_temperature_of_the_model(small: Model) -> None:
    first, second = (small.generate_many(["a"], n=4, beam=4, seed=seed) for seed in (1, 2))
    assert ids_of(first) == ids_of(second)
    assert first[0].probability is None


def test_stages_say_which_tokens_a_beam_may_have(babble: Model) -> None:
    plain = babble.generate_many([""], n=4, beam=8)
    chosen = babble.generate_many([""], n=4, beam=8, decoder="banned:don’t,no-repeat-ngram:1")
    assert any("don’t" in result.text for result in plain)
    assert not any("don’t" in result.text for result in chosen)
    assert all(len(set(result.ids)) == len(result.ids) for result in chosen)


def test_a_stop_text_ends_a_text_of_a_beam(babble: Model) -> None:
    results = babble.generate_many([""], n=6, beam=12, stop=" don’t")
    assert "stop" in {result.finish_reason for result in results}
    assert all(" don’t" not in result.continuation for result in results)
    assert len({result.text for result in results}) == len(results)


# -- distinct texts ----------------------------------------------------------------------------------------------


def test_distinct_texts_are_included_as_often_as_drawing_without_replacement_includes_them(small: Model) -> None:
    probabilities = drawn_texts(small, "a")
    assert len(probabilities) == 15
    firsts: Counter[Ids] = Counter()
    sets: Counter[frozenset[Ids]] = Counter()
    included: Counter[Ids] = Counter()
    for seed in range(SEEDS):
        ids = ids_of(small.generate_many(["a"], n=3, distinct=True, seed=seed))
        assert len(set(ids)) == 3
        firsts[ids[0]] += 1
        sets[frozenset(ids[:2])] += 1
        included.update(ids)
    assert_distributed(firsts, probabilities)
    assert_distributed(sets, pairs_without_replacement(probabilities))
    for one, share in inclusion_of_three(probabilities).items():
        assert abs(included[one] - SEEDS * share) < 4 * math.sqrt(SEEDS * share * (1 - share)) + 1


def pairs_without_replacement(p: Mapping[Ids, float]) -> dict[frozenset[Ids], float]:
    return {
        frozenset((a, b)): p[a] * p[b] * (1 / (1 - p[a]) + 1 / (1 - p[b])) for a, b in itertools.combinations(p, 2)
    }


def inclusion_of_three(p: Mapping[Ids, float]) -> dict[Ids, float]:
    shares = dict.fromkeys(p, 0.0)
    for a, b, c in itertools.permutations(p, 3):
        chance = p[a] * p[b] / (1 - p[a]) * p[c] / (1 - p[a] - p[b])
        for ids in (a, b, c):
            shares[ids] += chance
    return shares


def test_distinct_and_spread_texts_have_the_probabilities_of_the_decoder(small: Model) -> None:
    probabilities = drawn_texts(small, "a b")
    for choices in ({"distinct": True}, {"spread": True}):
        for result in small.generate_many(["a b"], n=8, seed=7, **choices):  # type: ignore[arg-type]
            assert result.probability == pytest.approx(probabilities[result.ids], rel=1e-5)
            assert result.to_json()["probability"] == pytest.approx(result.probability, rel=1e-3)
    assert "probability" not in small.generate_many(["a b"], seed=7)[0].to_json()


def test_all_texts_are_distinct_texts_where_more_are_asked_for(small: Model) -> None:
    results = small.generate_many(["", "a"], n=20, distinct=True, seed=3)
    assert Counter(result.prompt for result in results) == {"": 14, "a": 15}
    assert set(ids_of(results[:14])) == set(drawn_texts(small))
    assert sum(result.probability or 0 for result in results[:14]) == pytest.approx(1)
    assert [result.sample for result in results[:14]] == list(range(14))


@given(prompts, st.integers(0, 2**64 - 1), st.integers(1, 6), st.integers(1, 9))
@settings(max_examples=25)
def test_more_distinct_texts_begin_with_the_same_ones(
    small: Model, prompt: str, seed: int, n: int, more: int
) -> None:
    few = small.generate_many([prompt], n=n, distinct=True, seed=seed)
    assert small.generate_many([prompt], n=n + more, distinct=True, seed=seed)[:n] == few


def test_sequences_of_subwords_that_are_one_text_are_one_distinct_text(folder: Path) -> None:
    tokenizer = subwords(*chain("sea", "seat", " s"))
    ids = {word: tokenizer.encode(word).ids[0] for word in ("s", "e", "a", "t", "sea", "seat", " s")}
    table = np.full((len(tokenizer), len(tokenizer)), -20.0, np.float32)
    for ending in ids.values():
        table[:, ending] = 1.0
    table[:, 2] = 2.0  # the end
    model = genrun.load(
        write_model(folder / "sea.onnx", tokenizer, table=table, suppress=("pad", "start"), max_new_tokens=4),
        device="cpu",
    )
    results = model.generate_many(["se"], n=40, distinct=True, decoder="min-p:0.01", seed=1)
    texts = [result.text for result in results]
    assert len(set(texts)) == len(texts) == 40
    assert all(text.startswith("se") for text in texts)
    best = [result.text for result in model.generate_many(["se"], n=5, beam=40, decoder="min-p:0.01")]
    assert len(set(best)) == 5


def test_distinct_texts_differ_also_where_a_stop_text_cuts_them(babble: Model) -> None:
    texts = [result.text for result in babble.generate_many(["i"], n=12, distinct=True, stop=[",", "o"], seed=7)]
    assert len(set(texts)) == len(texts) == 12


# -- spread texts ------------------------------------------------------------------------------------------------


def test_each_spread_text_is_an_unbiased_draw(small: Model) -> None:
    counts = [Counter[Ids]() for _ in range(4)]
    for seed in range(SEEDS):
        for counter, result in zip(counts, small.generate_many(["a"], n=4, spread=True, seed=seed), strict=True):
            counter[result.ids] += 1
    for counter in counts:
        assert_distributed(counter, drawn_texts(small, "a"))


@given(st.integers(1, 60), st.integers(0, 2**64 - 1), prompts)
@settings(max_examples=25)
def test_spread_texts_come_as_often_as_their_probability_says_but_for_one(
    small: Model, n: int, seed: int, prompt: str
) -> None:
    counts = Counter(ids_of(small.generate_many([prompt], n=n, spread=True, seed=seed)))
    for ids, probability in drawn_texts(small, prompt).items():
        assert abs(counts[ids] - n * probability) < 1 + 1e-6


def test_spread_texts_are_more_even_than_independent_ones(small: Model) -> None:
    probabilities = drawn_texts(small)

    def distance(**choices: Any) -> float:
        """Return the mean total variation between the texts of a call and the probabilities."""
        total = 0.0
        for seed in range(20):
            counts = Counter(ids_of(small.generate_many([""], n=30, seed=seed, **choices)))
            total += sum(abs(counts[ids] / 30 - p) for ids, p in probabilities.items()) / 2
        return total / 20

    assert distance(spread=True) < 0.7 * distance()


def test_the_digits_of_a_code_do_not_end() -> None:
    generator = np.random.default_rng(7)
    digits = []
    for _ in range(50):
        code = Code(float(generator.random()), iter(generator.random, None))
        for _ in range(200):  # a float64 has 53 binary digits
            digit = int(code.value >= 0.5)
            code.narrow(digit / 2, (digit + 1) / 2)
            digits.append(digit)
    late = np.array(digits).reshape(50, 200)[:, 60:]
    assert abs(late.mean() - 0.5) < 4 * 0.5 / math.sqrt(late.size)
    assert abs((late[:, 1:] == late[:, :-1]).mean() - 0.5) < 4 * 0.5 / math.sqrt(late.size)


# -- all searches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choices", SEARCHES, ids=str)
def test_the_same_seed_gives_the_same_texts_whatever_takes_a_step_together(
    babble: Model, choices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["", "i love", "you"]
    together = babble.generate_many(asked, n=9, seed=7, **choices)
    apart = [result for prompt in asked for result in babble.generate_many([prompt], n=9, seed=7, **choices)]
    assert together == apart
    assert len({result.text for result in together}) > 9
    monkeypatch.setattr(growth, "_ROWS", 2)
    in_parts = babble.generate_many(asked, n=9, seed=7, **choices)
    assert in_parts == together
    assert [result.probability for result in in_parts] == [result.probability for result in together]


@pytest.mark.parametrize("choices", SEARCHES, ids=str)
def test_one_text_of_a_search_is_the_first_of_its_texts(babble: Model, choices: dict[str, Any]) -> None:
    [result] = babble.generate_many(["i"], seed=7, **choices)
    assert babble.generate("i", seed=7, **choices) == result.text
    assert babble.generate("i", settings=babble.settings(seed=7, **choices)) == result.text


async def in_a_loop(model: Model, **choices: Any) -> list[Result]:
    return await model.agenerate_many(["i"], n=3, **choices)


def test_an_event_loop_gets_the_same_texts(babble: Model) -> None:
    import asyncio

    assert asyncio.run(in_a_loop(babble, distinct=True, seed=7)) == babble.generate_many(
        ["i"], n=3, distinct=True, seed=7
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"beam": 2, "n": 3}, "a beam of 2 finds at most 2 texts of a prompt, not 3"),
        ({"beam": 0}, "beam must be a whole number from 1 to 10,000, not 0"),
        ({"beam": 4, "length_penalty": -1}, "length_penalty must be a number from 0 to 10, not -1"),
        ({"beam": 4, "length_penalty": math.nan}, "length_penalty must be a number from 0 to 10, not nan"),
        ({"length_penalty": 1}, "a length penalty is for beam search: give beam as well"),
        ({"beam": 4, "spread": True}, "choose one of beam, distinct and spread, not beam and spread"),
        ({"distinct": 1}, "distinct is True or False, not 1"),
        ({"spread": True, "n": 10_001}, "n must be a whole number from 1 to 10,000, not 10001"),
        ({"distinct": True, "decoder": "greedy"}, "needs stages, such as the decoder 'top-p', not Greedy"),
        ({"spread": True, "decoder": "top-k:5,mirostat"}, "needs stages, such as the decoder 'top-p', not Mirostat"),
        (
            {"beam": 4, "temperature": 0.5},
            "ranks texts by the probability of the model, which no temperature changes",
        ),
        ({"baem": 4}, "there is no choice 'baem'; did you mean 'beam'?"),
    ],
)
def test_what_does_not_go_together_is_refused_with_one_line(
    small: Model, choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError) as refused:
        small.generate_many(["a"], **choices)
    assert message in str(refused.value)


def test_a_search_has_no_stream_and_no_schedule(small: Model) -> None:
    for call in (small.stream, small.schedule):
        with pytest.raises(OptionError, match="find whole texts together"):
            call("a", distinct=True)


class BringsBack:
    """A stage that makes each token a candidate."""

    def apply(self, candidates: Any, states: Any, draws: Any) -> Any:
        return candidates.with_logits(np.zeros_like(candidates.logits))


def test_a_stage_that_brings_back_what_was_out_is_named(small: Model) -> None:
    with pytest.raises(PluginError, match="stages of the chain"):
        small.generate_many(["a"], distinct=True, decoder=[BringsBack()])
