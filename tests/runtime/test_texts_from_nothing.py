"""A text from nothing begins: it never ends before its first token."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import genrun
from genrun.model import Model
from support.alphabet import babble_table, letters, write_model

TOKENIZER = letters("word")
START, END = 2, 3


def table_that_ends_early() -> NDArray[np.float32]:
    """Logits with which about half of all texts would end at each step."""
    table = babble_table(len(TOKENIZER))
    table[:, END] = np.log(np.exp(table).sum(axis=1))
    return table


@pytest.fixture(scope="module", params=[False, True])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    file = tmp_path_factory.mktemp("early") / "m.onnx"
    return genrun.load(
        write_model(file, TOKENIZER, table=table_that_ends_early(), choosing=request.param), device="cpu"
    )


@pytest.mark.parametrize("decoder", ["greedy", "temperature", "top-k", "top-p:0.95", "mirostat", "top-k:30,draw"])
def test_no_text_is_empty_and_each_is_the_same_alone_streamed_and_in_a_batch(model: Model, decoder: str) -> None:
    results = model.generate_many([""], n=40, seed=5, decoder=decoder)
    assert all(result.ids[0] != END for result in results)
    together = model.generate_many(["b", "", "a"], n=40, seed=5, decoder=decoder)
    assert [result.text for result in together if not result.prompt] == [result.text for result in results]
    for seed in range(6):
        [first] = model.generate_many([""], seed=seed, decoder=decoder)
        assert model.generate("", seed=seed, decoder=decoder) == first.text
        assert "".join(model.stream("", seed=seed, decoder=decoder)) == first.text
        assert asyncio.run(model.agenerate("", seed=seed, decoder=decoder)) == first.text


def test_its_first_token_is_as_likely_as_it_is_among_all_but_the_end(model: Model) -> None:
    count = 4000
    results = model.generate_many([""], n=count, seed=1, decoder="temperature", max_new_tokens=1)
    logits = table_that_ends_early()[START].astype(np.float64)
    logits[: len(TOKENIZER.specials)] = -np.inf
    expected = np.exp(logits) / np.exp(logits).sum()
    found = np.bincount([result.ids[0] for result in results], minlength=len(expected)) / count
    assert np.abs(found - expected).max() < 4 * np.sqrt(expected * (1 - expected) / count).max()


def test_its_probability_is_what_score_says(model: Model) -> None:
    for result in model.generate_many([""], n=20, seed=3, decoder="temperature"):
        if result.finish_reason == "end":
            assert result.log_probability == pytest.approx(model.score(result.text).log_probability, abs=1e-4)


def test_a_prompt_may_be_all_there_is(model: Model) -> None:
    results = model.generate_many(["a"], n=40, seed=5, decoder="temperature")
    assert any(result.ids == (END,) for result in results)


def test_a_model_that_allows_nothing_but_the_end_ends(tmp_path: Path) -> None:
    table = np.full((len(TOKENIZER), len(TOKENIZER)), -np.inf, np.float32)
    table[:, END] = 0.0
    model = genrun.load(write_model(tmp_path / "m.onnx", TOKENIZER, table=table), device="cpu")
    assert model.generate("", seed=0, decoder="temperature") == ""
