"""Chains: one meaning in three spellings, mistakes with their place, and texts that depend on nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun import registry
from genrun.errors import GenrunError, ModelFileError, OptionError, PluginError, UnknownPluginError
from genrun.generating.choosing.binding import bound
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata_values import Malformed
from genrun.model import Model
from genrun.registry.chain_grammar import Link, parse, spell
from genrun.sampling import Candidates, Chain
from support.alphabet import babble_table, letters, random_drift, write_model

LONG = 'min-length:3,banned:"q, a b",repetition:1.3,dry:1;allowed=1,no-repeat-ngram:3,top-k:12,top-p:0.9,xtc:0.05'
CHAINS = (
    "min-p:0.05,temperature:0.8",
    "top-k:5,temperature:1.5",
    "typical:0.8,frequency:1",
    "eta:0.01,presence:0.4,draw",
    "wanted:e;bias=3,epsilon:0.01",
    "top-n-sigma:1.5,mirostat:2",
    "repetition:2,greedy",
    "dynamic-temperature:0.3;high=2",
    "llama.cpp",
    LONG,
)

numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
texts = st.text(min_size=1, max_size=9)
options = st.dictionaries(
    st.from_regex("[a-z][a-z_0-9]{0,8}", fullmatch=True), numbers | texts | st.lists(texts, max_size=3), max_size=3
)
names = st.from_regex("[a-z][a-z.-]{0,8}", fullmatch=True)


SIZE = len(letters("word"))
TABLE = babble_table(SIZE)
TABLE[:, letters("word").special("end")] += 2


@pytest.fixture(scope="module")
def babblers(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    """Two models with surprising, but always the same texts; the graph of the first one can choose."""
    folder, models = tmp_path_factory.mktemp("chains"), []
    for choosing in (True, False):
        path, drift = folder / f"{choosing}.onnx", random_drift(SIZE)
        write_model(path, letters("word"), table=TABLE, drift=drift, choosing=choosing, max_new_tokens=12)
        models.append(genrun.load(path, device="cpu"))
    return models


@pytest.fixture(scope="module")
def babbler(babblers: list[Model]) -> Model:
    return babblers[0]


@given(st.lists(st.builds(Link, names, options), min_size=1, max_size=4))
@settings(deadline=None)
def test_a_chain_comes_back_from_its_text(links: list[Link]) -> None:
    def written(value: object) -> object:
        return value if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)

    wanted = [(link.name, {name: written(value) for name, value in link.options.items()}) for link in links]
    assert [(link.name, dict(link.options)) for link in parse(spell(links), lambda _: False)] == wanted


@given(st.text(max_size=30) | st.text(alphabet='top-k:;,="[]\\ 4', max_size=30))
@settings(deadline=None)
def test_any_text_is_a_decoder_or_one_line(text: str) -> None:
    assert "\n" not in said(text)


def said(text: str) -> str:
    """The error of a decoder, or what it is written as."""
    try:
        return registry.chain_text(registry.chain_json(registry.make_decoder(text)))
    except GenrunError as error:
        return str(error)


@pytest.mark.parametrize("chain", CHAINS)
def test_text_objects_and_json_mean_the_same(chain: str, babbler: Model) -> None:
    made = registry.make_decoder(chain)
    document = json.loads(json.dumps(registry.chain_json(made)))
    assert registry.make_chain(document) == made
    assert registry.make_decoder(registry.chain_text(document)) == made
    assert isinstance(made, Chain)
    objects = [*made.stages, *([] if made.chooser is None else [made.chooser])]
    assert registry.make_chain(objects) == made
    text = babbler.generate("a b", decoder=chain, seed=3)
    assert text == babbler.generate("a b", decoder=objects, seed=3)
    assert text == babbler.generate("a b", decoder=document, seed=3)


def test_a_chain_is_stored_in_a_model_file_as_json(tmp_path: Path, babbler: Model) -> None:
    for decoder in ("min-p:0.05,temperature:0.8", 'banned:["a b", "q"],greedy'):
        stored = GenerationDefaults(decoder=decoder).to_json()
        assert stored["decoder"] == registry.chain_json(registry.make_decoder(decoder))
        path = tmp_path / f"{len(decoder)}.onnx"
        write_model(path, letters("word"), table=TABLE, drift=random_drift(SIZE), decoder=decoder)
        model = genrun.load(path, device="cpu")
        text = babbler.generate("c", seed=1, decoder=decoder, max_new_tokens=5)
        assert model.generate("c", seed=1) == text
        assert GenerationDefaults.from_json(model.defaults.to_json(), SIZE) == model.defaults
    with pytest.raises(OptionError, match="no stage of the chain has an option 'temperature'"):
        model.settings(temperature=2.0)


def test_a_decoder_in_an_old_file_stays_a_name_with_options() -> None:
    old = {"decoder": "top-k", "options": {"k": 3}, "max_new_tokens": 4, "stop_ids": [], "suppressed_ids": []}
    read = GenerationDefaults.from_json({**old, "casing": "none"}, 9)
    assert (read.decoder, dict(read.options)) == ("top-k", {"k": 3})
    assert read.to_json()["decoder"] == "top-k"


@pytest.mark.parametrize(
    "decoder",
    [[], [3], [{"name": "greedy"}], [{"name": "a,b", "options": {}}], [{"name": "x", "options": {"k": {}}}],
     [{"name": "greedy", "options": {}}] * 65, [{"name": "banned", "options": {"phrases": ["a" * 10_001]}}]],
)  # fmt: skip
def test_a_wrong_chain_in_a_model_file_is_refused(decoder: object) -> None:
    document = {"decoder": decoder, "options": {}, "max_new_tokens": 4, "stop_ids": [], "suppressed_ids": []}
    with pytest.raises(Malformed):
        GenerationDefaults.from_json({**document, "casing": "none"}, 9)


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (
            "min-p:0.05,temprature:0.8",
            "stage 2, character 12 of 'min-p:0.05,temprature:0.8': unknown decoder ",
        ),
        ("min-p:0.05, temperature:0", "stage 2, character 25 of "),
        (
            "xtc:0.1;probability=3",
            "stage 1, character 21 of 'xtc:0.1;probability=3': decoder 'xtc': probability must ",
        ),
        ("xtc:0.1;chance=1,greedy", "stage 1, character 16 of "),
        ("min-p:x", "stage 1, character 7 of 'min-p:x': decoder 'min-p': p must be a number, not 'x'"),
        ("min-p:0.1;0.2", "stage 1, character 11 of 'min-p:0.1;0.2': only the first option may be without its name="),
        ("min-p:p=0.1;p=0.2", "stage 1, character 15 of 'min-p:p=0.1;p=0.2': the option 'p' is there twice"),
        ("min-p:0.1;p=0.2", "stage 1, character 13 of 'min-p:0.1;p=0.2': the first option of 'min-p' is 'p'"),
        ("greedy:1", "stage 1, character 8 of 'greedy:1': decoder 'greedy' has no options"),
        ("min-p:", "stage 1, character 7 of 'min-p:': a value is missing"),
        ("min-p,,greedy", "stage 2, character 7 of 'min-p,,greedy': the name of a stage is missing"),
        ("min-p:0.1:2", "stage 1, character 10 of 'min-p:0.1:2': a colon stands between"),
        ('banned:"a', "character 9 of 'banned:\"a': a quotation mark is missing"),
        ("banned:[a]", "stage 1, character 8 of 'banned:[a]': a list is written"),
        ("greedy,min-p", "stage 1 of the chain, Greedy, chooses, so it must be the last"),
        ("min-p," * 65 + "draw", "a chain has at most 64 stages, not 66"),
    ],
)
def test_a_mistake_points_at_its_stage_and_character(chain: str, message: str) -> None:
    with pytest.raises((OptionError, UnknownPluginError)) as caught:
        registry.make_decoder(chain)
    assert str(caught.value).startswith(message)


def test_words_that_the_model_lacks_are_named(babbler: Model) -> None:
    with pytest.raises(OptionError, match="'dragon' is not in the model's vocabulary"):
        babbler.generate("a", decoder='banned:"a, dragon",greedy')


def test_a_full_name_and_a_name_with_its_option_are_told_apart() -> None:
    assert registry.make_decoder("genrun:top-k") == registry.make_decoder("top-k")
    assert registry.make_decoder("genrun:top-k:5,greedy") == registry.make_decoder("top-k:5,greedy")
    assert registry.make_decoder("top-k:5") == registry.make_decoder("top-k", {"k": 5})
    with pytest.raises(UnknownPluginError, match=r"^unknown decoder 'acme:lowest'"):
        registry.make_decoder("acme:lowest")


def test_options_are_for_the_stage_that_has_them() -> None:
    changed = registry.make_decoder("min-p:0.05,temperature:0.8", {"temperature": "0.5", "p": "0.1"})
    assert changed == registry.make_decoder("min-p:0.1,temperature:0.5")
    with pytest.raises(
        OptionError, match=r"2 stages of the chain have an option 'p': name one, min-p\.p or top-p\.p"
    ):
        registry.make_decoder("min-p:0.05,top-p:0.9", {"p": "0.1"})
    named = registry.make_decoder("min-p:0.05,top-p:0.9", {"min-p.p": "0.1"})
    assert named == registry.make_decoder("min-p:0.1,top-p:0.9")


@pytest.mark.parametrize("chain", CHAINS)
def test_a_text_is_the_same_alone_in_a_batch_and_streamed(chain: str, babbler: Model) -> None:
    prompts = [*"abcdefgh", "a b a b", "", "e e e"]
    wanted = babbler.generate_many(prompts, n=2, decoder=chain, seed=5, batch_size=1)
    for batch_size in (3, 64):
        found = babbler.generate_many(prompts, n=2, decoder=chain, seed=5, batch_size=batch_size)
        assert [result.ids for result in found] == [result.ids for result in wanted]
    assert babbler.generate("a b a b", decoder=chain, seed=5) == wanted[16].text
    assert "".join(babbler.stream("a b a b", decoder=chain, seed=5)) == wanted[16].continuation


@pytest.mark.parametrize("chain", [chain for chain in CHAINS if "mirostat" not in chain])
def test_the_loop_keeps_the_states_that_the_whole_past_gives(chain: str, babbler: Model) -> None:
    made = bound(registry.make_decoder(chain), babbler.tokenizer, babbler.defaults.stop_ids)
    assert isinstance(made, Chain)
    prompt, ids = [5, 6, 7], [6, 7, 5, 6]
    states = made.first(prompt)
    for token in ids:
        states = made.follow(states, token)
    logits = TABLE[:1]
    again = made.first(prompt)
    for token in ids:
        again = made.follow(again, token)
    draws = np.array([0.4], np.float32)
    tokens = [np.array(prompt + ids)]
    assert made.step(logits, tokens, [states], draws)[0] == made.step(logits, tokens, [again], draws)[0]
    assert states == again


def chosen(chain: str, logits: NDArray[np.float32], draws: NDArray[np.float32]) -> list[int]:
    ids: list[int] = (
        registry.make_decoder(chain).choose(logits, [np.zeros(0, np.int64)] * len(logits), draws).tolist()
    )
    return ids


def test_order_is_meaning() -> None:
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]], np.float32))
    grid = np.linspace(0, 1, 200, endpoint=False, dtype=np.float32)
    rows = np.repeat(logits, len(grid), axis=0)
    hot_last = set(chosen("min-p:0.2,temperature:9", rows, grid))
    hot_first = set(chosen("temperature:9,min-p:0.2", rows, grid))
    assert (hot_last, hot_first) == ({0, 1, 2}, {0, 1, 2, 3})


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_greedy_is_the_limit_of_a_falling_temperature(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, draws = random.normal(0, 3, (8, 50)).astype(np.float32), random.random(8, np.float32)
    for before in ("", "min-p:0.1,", "top-p:0.8,", "typical:0.9,", "top-k:9,"):
        assert chosen(f"{before}temperature:1e-9", logits, draws) == chosen(f"{before}greedy", logits, draws)
        assert chosen(f"{before}temperature:1e-300,draw", logits, draws) == chosen(f"{before}greedy", logits, draws)


@pytest.mark.parametrize(
    ("chain", "parameters"),
    [
        ("top-k:5,temperature:0.8", {"k": 5, "temperature": 0.8}),
        ("top-k:9,top-k:5", {"k": 5, "temperature": 1.0}),
        ("top-k:5,draw", {"k": 5, "temperature": 1.0}),
        ("draw", {"k": -1, "temperature": 1.0}),
        ("top-k:5,greedy", {"k": 1}),
        ("temperature:0.8,top-k:5", None),
        ("min-p:0.1,temperature:0.8", None),
        ("top-k:5;temperature=0.8,min-p", None),
    ],
)
def test_the_graph_chooses_for_the_chains_that_it_can_express(
    chain: str, parameters: object, babblers: list[Model]
) -> None:
    made: Any = registry.make_decoder(chain)
    assert made.parameters() == parameters
    in_graph, in_numpy = (
        [result.ids for result in model.generate_many(list("abcdefgh"), n=3, decoder=chain, seed=2, batch_size=2)]
        for model in babblers
    )
    assert in_graph == in_numpy


@dataclass(frozen=True)
class Even:
    """A stranger's chooser: the likeliest id that is even, of the whole vocabulary."""

    def choose(self, logits: Any, tokens: Sequence[Any], draws: Any) -> NDArray[np.int64]:
        logits[:, 1::2] = -np.inf
        ids: NDArray[np.int64] = logits.argmax(axis=1)
        return ids


@dataclass(frozen=True)
class Odd:
    """A stranger's stage."""

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Any) -> Any:
        assert list(states) == [None] * len(draws)
        return candidates.keep(np.arange(candidates.logits.shape[1])[None] % 2 == np.ones((len(draws), 1)))


@dataclass(frozen=True)
class Bad:
    """A stranger's stage that fails, or leaves nothing."""

    raises: bool = False

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Any) -> Any:
        if self.raises:
            raise ZeroDivisionError("no")
        return candidates.with_logits(np.full_like(candidates.logits, -np.inf))


def test_a_strangers_chooser_and_stage_take_part(babbler: Model) -> None:
    assert all(token % 2 == 0 for token in babbler.generate_many(["a"], decoder=["top-k:20", Even()])[0].ids)
    assert all(token % 2 for token in babbler.generate_many(["a"], decoder=[Odd()], seed=1)[0].ids)
    with pytest.raises(PluginError, match="decoder Bad failed: ZeroDivisionError: no"):
        babbler.generate("a", decoder=[Bad(raises=True)])
    with pytest.raises(PluginError, match="have left a row without candidates"):
        babbler.generate("a", decoder=[Bad()])
    with pytest.raises(OptionError, match="must be a name or an object with a method"):
        babbler.generate("a", decoder=[3])


def test_a_least_length_holds_and_banned_words_do_not_appear(babbler: Model) -> None:
    free = babbler.generate_many(list("abcdefghij"), n=20, decoder="temperature", seed=1)
    assert min(len(result.ids) for result in free) < 6
    assert any(" e" in result.continuation for result in free)
    results = babbler.generate_many(list("abcdefghij"), n=20, decoder='min-length:5,banned:"e, o p"', seed=1)
    assert min(len(result.ids) for result in results) == 6  # five, and the end
    words = [result.continuation.split() for result in results]
    assert all("e" not in each and ("o", "p") not in pairwise(each) for each in words)


def test_a_broken_model_is_an_error_of_the_file(tmp_path: Path) -> None:
    table = np.full((SIZE, SIZE), np.nan, np.float32)
    model = genrun.load(write_model(tmp_path / "nan.onnx", letters("word"), table=table), device="cpu")
    with pytest.raises(ModelFileError):
        model.generate("a", decoder="min-p:0.1")
