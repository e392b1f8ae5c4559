"""A text depends on its seed, its prompt and its sample number, and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genrun
from genrun.model import BATCH_SIZE, Model

PROMPTS = ["", "i", "you don’t", "love , love", "“ stop", "i don’t stop you . i love you", "stop 's", ", ,"]

prompts = st.lists(st.sampled_from(["love", "don’t", "stop", ",", ".", "“", "you", "i"]), max_size=9).map(" ".join)
stops = st.lists(st.sampled_from([" ", "o", "love you", ", i", "don’t stop", "x", "."]), max_size=2)
seeds = st.integers(0, 2**64 - 1)


def texts(model: Model, asked: list[str], seed: int = 7, batch_size: int = BATCH_SIZE) -> list[str]:
    return [result.text for result in model.generate_many(asked, seed=seed, batch_size=batch_size)]


def test_the_texts_of_the_test_model_vary_in_length_and_reason(babble: Model) -> None:
    results = babble.generate_many(PROMPTS, n=4, seed=7)
    assert {result.finish_reason for result in results} == {"end", "length"}
    assert len({len(result.ids) for result in results}) > 4


def test_ragged_prompts_in_one_batch_give_the_texts_they_give_alone(babble: Model) -> None:
    assert texts(babble, PROMPTS) == [babble.generate(prompt, seed=7) for prompt in PROMPTS]


@pytest.mark.parametrize("batch_size", range(1, 8))
def test_the_batch_size_does_not_matter(babble: Model, batch_size: int) -> None:
    small = babble.generate_many(PROMPTS, n=3, seed=7, batch_size=batch_size)
    assert small == babble.generate_many(PROMPTS, n=3, seed=7)


@given(st.lists(prompts, min_size=1, max_size=9), seeds, st.integers(1, 9))
@settings(max_examples=40)
def test_neighbours_do_not_matter(babble: Model, asked: list[str], seed: int, batch_size: int) -> None:
    alone = [babble.generate(prompt, seed=seed) for prompt in asked]
    assert texts(babble, asked, seed, batch_size) == alone


def test_a_text_in_a_full_batch_is_the_text_alone(babble: Model) -> None:
    asked = [PROMPTS[i % len(PROMPTS)] for i in range(64)]
    assert texts(babble, asked, batch_size=64) == [babble.generate(prompt, seed=7) for prompt in asked]


@given(prompts, seeds, stops, st.integers(1, 15))
@settings(max_examples=60)
def test_the_pieces_of_a_stream_join_to_the_continuation(
    babble: Model, prompt: str, seed: int, stop: list[str], length: int
) -> None:
    [result] = babble.generate_many([prompt], seed=seed, stop=stop, max_new_tokens=length)
    pieces = list(babble.stream(prompt, seed=seed, stop=stop, max_new_tokens=length))
    assert "".join(pieces) == result.continuation
    assert all(pieces)
    assert babble.prompt_text(prompt) + result.continuation == result.text
    assert babble.generate(prompt, seed=seed, stop=stop, max_new_tokens=length) == result.text
    assert not any(text in result.continuation for text in stop)


def test_threads_do_not_matter(babble: Model) -> None:
    alone = [babble.generate(prompt, seed=seed) for seed in range(6) for prompt in PROMPTS]

    def work(_: int) -> list[str]:
        return [babble.generate(prompt, seed=seed) for seed in range(6) for prompt in PROMPTS]

    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(work, range(8)))


def test_whatever_sixteen_threads_ask_of_one_model_is_what_one_is_told(babble_file: Path) -> None:
    """All kinds of calls at once on a model that no thread has used before."""
    model = genrun.load(babble_file, device="cpu")

    def told(seed: int) -> list[object]:
        prompt = PROMPTS[seed % len(PROMPTS)]
        typing = model.typing()
        return [
            model.generate(prompt, seed=seed),
            model.generate_many([prompt, "i"], n=3, seed=seed, batch_size=1 + seed % 5),
            "".join(model.stream(prompt, seed=seed)),
            model.score(f"{prompt} love you"),
            model.suggest(f"{prompt} st", 3, end=True),
            [typing.suggest("i don’t stop"[:length]) for length in range(1, 13)],
            model.generate(prompt, seed=seed, decoder="top-k", k=3),
        ]

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(told, list(range(16)) * 3))
    alone = [told(seed) for seed in range(16)]
    assert together == alone * 3


def test_samples_differ_and_the_first_is_what_generate_returns(babble: Model) -> None:
    results = babble.generate_many(["i", "you"], n=20, seed=7)
    assert [result.sample for result in results] == [*range(20), *range(20)]
    assert [result.prompt for result in results] == ["i"] * 20 + ["you"] * 20
    assert len({result.text for result in results[:20]}) > 10
    assert results[0].text == babble.generate("i", seed=7)
    assert results[20].text == babble.generate("you", seed=7)
    assert babble.generate_many(["i"], n=5, seed=7) == results[:5]


def test_fewer_tokens_are_the_beginning_of_more(babble: Model) -> None:
    [long] = babble.generate_many(["i"], seed=3, max_new_tokens=12)
    for length in range(1, len(long.ids) + 1):
        [short] = babble.generate_many(["i"], seed=3, max_new_tokens=length)
        assert short.ids == long.ids[:length]


def test_different_seeds_give_different_texts_and_0_is_a_seed_like_any_other(babble: Model) -> None:
    by_seed = [babble.generate("i", seed=seed) for seed in range(20)]
    assert len(set(by_seed)) > 10
    assert [babble.generate("i", seed=seed) for seed in range(20)] == by_seed
    assert babble.generate_many(["i"], seed=0)[0].seed == 0


def test_without_a_seed_a_fresh_one_is_drawn_and_reported(babble: Model) -> None:
    results = [babble.generate_many(["i"], max_new_tokens=12)[0] for _ in range(12)]
    assert len({result.seed for result in results}) == 12
    assert len({result.text for result in results}) > 1
    assert [babble.generate("i", seed=result.seed) for result in results] == [result.text for result in results]


def test_results_come_one_by_one_in_the_order_of_the_prompts(babble: Model) -> None:
    asked = PROMPTS * 20
    each = list(babble.generate_each(asked, seed=7, batch_size=5))
    assert [result.prompt for result in each] == asked
    assert [result.text for result in each] == texts(babble, asked)


def test_prompts_are_taken_only_as_fast_as_they_are_used(alphabet: Model) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "a"

    results = alphabet.generate_each(endless(), batch_size=4, max_new_tokens=2)
    assert taken == 0
    for wanted in range(1, 30):
        assert next(results).text == "abc"
        assert taken <= wanted + 2 * 4


def test_a_stream_generates_only_what_is_taken(alphabet: Model) -> None:
    pieces = alphabet.stream("a", max_new_tokens=1_000_000)
    assert [next(pieces) for _ in range(3)] == ["b", "c", "d"]
