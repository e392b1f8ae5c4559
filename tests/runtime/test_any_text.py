"""Whatever is typed and chosen: alone, in a batch, streamed and on threads are the same, and promises are kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genrun
from genrun.errors import PromptError
from genrun.model import Model
from genrun.results import Result, UnknownWordsWarning
from support.alphabet import babble_table, random_drift, words, write_model

WORDS = ("love", "don’t", "stop", ",", ".", "“", "i", "ß", "e\u0301", "\U0001f642", "न", "가", "ab")

pieces = st.one_of(st.sampled_from([*WORDS, " ", "  ", "<start>", "<end>", "<unk>", "\n", "İ"]), st.text(max_size=4))
texts = st.lists(pieces, max_size=7).map(" ".join) | st.lists(pieces, max_size=7).map("".join)
choices = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**64 - 1),
        "max_new_tokens": st.integers(1, 12),
        "stop": st.lists(st.sampled_from([" ", "o", "love i", "t.", "“", "\U0001f642", "가 n"]), max_size=2),
        "casing": st.sampled_from(["none", "title", "sentence", "upper", "corpus"]),
    },
    optional={"decoder": st.sampled_from(["greedy", "top-k", "temperature"])},
)

pytestmark = pytest.mark.filterwarnings(f"ignore::{UnknownWordsWarning.__module__}.{UnknownWordsWarning.__name__}")


@pytest.fixture(scope="module", params=["word", "char"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Babbles in several scripts, by words without a start, or by characters with one; its graph chooses for few."""
    path = tmp_path_factory.mktemp("babble") / "m.onnx"
    if request.param == "word":
        tokenizer = words(*WORDS, specials=["pad", "end"])
    else:
        tokenizer = words(*dict.fromkeys("".join(WORDS)), " ", kind="char")
    drift = random_drift(len(tokenizer))
    table = babble_table(len(tokenizer))
    about: dict[str, Any] = {"decoder": "temperature", "max_new_tokens": 12, "choosing": True}
    return genrun.load(write_model(path, tokenizer, table=table, drift=drift, **about), device="cpu")


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as made:
        yield made


def accepted(model: Model, prompts: list[str]) -> list[str]:
    """Return the prompts that the model can begin from."""
    fitting = []
    for prompt in prompts:
        try:
            model.tokenizer.encode_prompt(prompt)
        except PromptError:
            with pytest.raises(PromptError):
                model.generate(prompt)
        else:
            fitting.append(prompt)
    return fitting


@given(st.lists(texts, max_size=6), choices)
@settings(max_examples=60)
def test_alone_batch_stream_and_threads_are_the_same_and_keep_what_is_promised(
    model: Model, pool: ThreadPoolExecutor, prompts: list[str], choices: dict[str, Any]
) -> None:
    prompts = accepted(model, prompts)
    checked = model.settings(**choices)

    def alone(prompt: str) -> Result:
        return model.generate_many([prompt], settings=checked)[0]

    batch = model.generate_many(prompts, settings=checked)
    assert list(map(alone, prompts)) == batch
    assert list(pool.map(alone, prompts)) == batch
    for result in batch:
        again = alone(result.prompt)
        assert again.log_probability == pytest.approx(result.log_probability, rel=1e-5, abs=1e-5)
        assert math.isfinite(result.log_probability)
        assert result.log_probability <= 0
        assert "".join(model.stream(result.prompt, settings=checked)) == result.continuation
        assert model.generate(result.prompt, settings=checked) == result.text
        assert not [stop for stop in choices["stop"] if stop in result.continuation]
        assert set(result.ids).isdisjoint(model.defaults.suppressed_ids)


@given(st.lists(texts, max_size=5))
@settings(max_examples=40)
def test_a_score_is_the_same_in_a_batch_and_finite(model: Model, documents: list[str]) -> None:
    scores = list(model.score_each(documents))
    assert [model.score(document) for document in documents] == scores
    for score in scores:
        assert all(math.isfinite(number) and number <= 0 for number in score.token_log_probabilities)
        assert math.isfinite(score.perplexity) or not score.tokens


@given(texts, st.integers(1, 5), st.booleans())
@settings(max_examples=40)
def test_a_typing_session_says_what_a_fresh_suggestion_says(model: Model, text: str, n: int, end: bool) -> None:
    typing = model.typing(keep=3)
    for length in [*range(len(text) + 1), len(text) // 2]:
        typed = text[:length]
        try:
            wanted = model.suggest(typed, n, end=end)
        except PromptError as error:
            with pytest.raises(PromptError, match=f"^{re.escape(str(error))}$"):
                typing.suggest(typed, n, end=end)
            continue
        assert typing.suggest(typed, n, end=end) == wanted
        assert all(0 <= suggestion.probability <= 1 for suggestion in wanted)
        assert {suggestion.id for suggestion in wanted}.isdisjoint(model.defaults.suppressed_ids)
