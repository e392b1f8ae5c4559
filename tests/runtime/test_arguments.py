"""Arguments of the wrong type: one line each, wherever they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import genrun
from genrun.checks.short_text import shown
from genrun.errors import GenrunError, ModelFileError, OptionError, PromptError
from genrun.model import Model
from support.distributions import DECODER, Site


class Lowest:
    """A decoder that a program made itself."""

    def choose(self, logits: Any, tokens: Any, draws: Any) -> Any:
        return logits.argmin(axis=1)


CALLS: list[tuple[str, Callable[[Any], object]]] = [
    ("prompts must be a list of texts, not None", lambda model: model.generate_many(None)),
    ("prompts must be a list of texts, not 3", lambda model: model.generate_each(3)),
    ("prompts must be a list of texts, not one text", lambda model: model.generate_many("one")),
    ("prompts must be a list of texts, not None", lambda model: asyncio.run(model.agenerate_many(None))),
    ("a prompt must be text, not 97", lambda model: model.generate_many(b"a")),
    ("a prompt must be text, not None", lambda model: model.generate_many([None])),
    ("a prompt must be text, not 3", lambda model: model.generate(3)),
    ("a prompt must be text, not 3", lambda model: asyncio.run(model.agenerate(3))),
    ("a prompt must be text, not None", lambda model: model.stream(None)),
    ("a prompt must be text, not ['a']", lambda model: model.prompt_text(["a"])),
    ("the input to score must be text, not 3", lambda model: model.score(3)),
    ("the input to suggest must be text, not 3", lambda model: model.suggest(3)),
    ("keep must be a whole number from 1 to 1,000,000,000, not '9'", lambda model: model.typing(keep="9")),
    ("texts must be a list of texts, not None", lambda model: model.score_each(None)),
    ("settings must be what Model.settings returns, not 3", lambda model: model.generate("a", settings=3)),
    ("settings must be what Model.settings returns, not {}", lambda model: model.stream("a", settings={}, seed=1)),
    ("n must be a whole number from 1 to 1,000,000,000, not '2'", lambda model: model.generate_many(["a"], n="2")),
    ("n must be a whole number from 1 to 1,000,000,000, not True", lambda model: model.generate_many(["a"], n=True)),
    (
        "batch_size must be a whole number from 1 to 1,000,000,000, not 0",
        lambda model: model.generate_many(["a"], batch_size=0),
    ),
    (
        "batch_size must be a whole number from 1 to 1,000,000,000, not None",
        lambda model: model.score_each(["a"], batch_size=None),
    ),
    ("a stop must be text, not 3", lambda model: model.generate("a", stop=3)),
    ("a stop must be text, not ['b', None]", lambda model: model.generate("a", stop=["b", None])),
    (
        "a decoder must be a name or an object with a method 'choose', 'apply' or 'pick', not 3",
        lambda m: m.generate("a", decoder=3),
    ),
    ("max_new_tokens must be a whole number from 1 to 1,000,000, not '3'", lambda m: m.settings(max_new_tokens="3")),
    ("seed must be a whole number from 0 to 2**64 - 1, not 'x'", lambda model: model.settings(seed="x")),
    ("a model file must be given as a path, bytes or a binary file, not None", lambda model: genrun.load(None)),  # type: ignore[arg-type]
    ("unknown casing 5; accepted: corpus, none, sentence, title, upper", lambda m: m.settings(casing=5)),
    ("unknown casing [1]; accepted: corpus, none, sentence, title, upper", lambda m: m.typing(casing=[1])),
    ("a prompt must be text, not 3", lambda model: model.tokenizer.encode_prompt(3)),
    ("the input to encode must be text, not None", lambda model: model.tokenizer.encode(None)),
    ("the input to encode must be text, not b'a'", lambda model: model.tokenizer.encode_document(b"a")),
    ("seed must be a whole number from 0 to 2**64 - 1, not '4'", lambda model: model.settings(seed="4")),
    ("seed must be a whole number from 0 to 2**64 - 1, not True", lambda model: model.settings(seed=True)),
    (
        "decoder 'top-k': temperature must be a number, not '0.5'",
        lambda m: m.settings(decoder="top-k", temperature="0.5"),
    ),
    ("decoder 'top-k': k must be a whole number, not '5'", lambda m: m.settings(decoder="top-k", k="5")),
    (f"n must be a whole number from 1 to 1,000,000,000, not {10**30}", lambda m: m.generate_many(["a"], n=10**30)),
    (
        f"batch_size must be a whole number from 1 to 1,000,000,000, not {10**30}",
        lambda model: model.score_each(["a"], batch_size=10**30),
    ),
    ("there is no choice 'sede'; did you mean 'seed'?", lambda model: model.generate("a", sede=7)),
    ("there is no choice 'sede'; did you mean 'seed'?", lambda model: model.generate_many(["a"], n=2, sede=7)),
    ("there is no choice 'batchsize'; did you mean 'batch_size'?", lambda m: m.generate_many(["a"], batchsize=7)),
    ("there is no choice 'stops'; did you mean 'stop'?", lambda m: m.generate("a", decoder=Lowest(), stops="b")),
    ("n is for many texts: model.generate_many([prompt], n=…)", lambda model: model.generate("a", n=3)),
    ("n is for many texts: model.generate_many([prompt], n=…)", lambda model: asyncio.run(model.agenerate("a", n=3))),
    (
        "batch_size is for many texts: model.generate_many([prompt], batch_size=…)",
        lambda m: m.stream("a", batch_size=3),
    ),
    ("decoder 'top-k' has no option 'kk'; did you mean 'k'?", lambda m: m.generate("a", decoder="top-k", kk=3)),
    ("decoder 'greedy' has no option 'k'; accepted: none", lambda model: model.generate("a", k=3)),
    (
        "a model file must be given as a path, bytes or a binary file, not 3",
        lambda model: genrun.load(3),  # type: ignore[arg-type]
    ),
]


@pytest.mark.parametrize(("message", "call"), CALLS, ids=[message for message, _ in CALLS])
def test_an_argument_of_the_wrong_type_is_told_in_one_line(
    alphabet: Model, message: str, call: Callable[[Any], object]
) -> None:
    with pytest.raises(OptionError) as caught:
        call(alphabet)
    assert str(caught.value) == message


def test_whole_numbers_of_numpy_are_whole_numbers(alphabet: Model) -> None:
    results = alphabet.generate_many(["a"], n=np.int64(2), batch_size=np.int32(1))  # type: ignore[arg-type]
    assert [result.sample for result in results] == [0, 1]


def test_no_stop_may_be_said_in_every_way(alphabet: Model) -> None:
    ways: list[Any] = [(), [], None]
    for none in ways:
        assert alphabet.generate("a", stop=none) == "abcdef"


LONG: list[Any] = [
    b"\x08\x08" * 10**6,
    "x" * 10**6,
    ["x" * 10**6] * 1000,
    [[["x"] * 1000] * 1000],
    10**5000,
    np.zeros((1000, 3)),
    dict.fromkeys(range(1000), "x" * 100),
    type("Odd", (), {"__repr__": lambda self: 1 / 0})(),
    type("Lines", (), {"__repr__": lambda self: "line\n" * 1000})(),
]


@pytest.mark.parametrize("value", LONG, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "call",
    [
        lambda model, value: genrun.load(value),
        lambda model, value: genrun.load(model.path, device=value),
        lambda model, value: genrun.load(model.path, threads=value),
        lambda model, value: model.generate_many([value]) if not isinstance(value, str) else model.generate(1),
        lambda model, value: model.generate_many(value, n=value),
        lambda model, value: model.settings(seed=value),
        lambda model, value: model.generate("a", decoder=value),
        lambda model, value: model.settings(decoder="top-k", temperature=value),
        lambda model, value: model.settings(casing=value),
        lambda model, value: model.settings(stop=[value, 3]),
        lambda model, value: model.settings(max_new_tokens=value),
        lambda model, value: model.generate("a", settings=value),
        lambda model, value: model.suggest("a", n=value),
    ],
)
def test_a_message_is_one_short_line_whatever_was_given(
    alphabet: Model, call: Callable[[Model, Any], object], value: Any
) -> None:
    with pytest.raises(GenrunError) as caught:
        call(alphabet, value)
    message = str(caught.value)
    assert len(message) < 700
    assert "\n" not in message


def test_a_prompt_of_unknown_words_is_shown_short(letter_words: Model) -> None:
    with pytest.raises(PromptError) as caught:
        letter_words.generate("xyzzy " * 100_000)
    assert str(caught.value) == f"no word of the prompt '{('xyzzy ' * 10)}…' is in the model's vocabulary"


def test_a_path_that_is_too_long_is_a_file_that_cannot_be_opened() -> None:
    with pytest.raises(ModelFileError) as caught:
        genrun.load("x" * 5000)
    assert str(caught.value) == f"{'x' * 200}…: cannot open the model file: File name too long"


@pytest.mark.parametrize("prompt", [3, None, b"a", "", "xyzzy"])
def test_a_bad_prompt_and_a_bad_option_can_be_told_apart(letter_words: Model, prompt: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: letter_words.generate(prompt),
        lambda: letter_words.stream(prompt),
        lambda: letter_words.generate_many([prompt]),
        lambda: asyncio.run(letter_words.agenerate(prompt)),
        lambda: letter_words.prompt_text(prompt),
        lambda: letter_words.suggest(prompt if prompt != "xyzzy" else "xyzzy "),
    ]
    for call in calls:
        with pytest.raises(genrun.PromptError):
            call()
    with pytest.raises(OptionError) as caught:
        letter_words.generate("a", seed=-1)
    assert not isinstance(caught.value, PromptError)


def test_an_option_of_a_decoder_may_have_a_name_that_is_nearly_a_choice(alphabet: Model, installed: Site) -> None:
    source = DECODER.replace("offset: int = 0", "offset: int = 0\n    seeds: int = 1\n    n: int = 2")
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_d:Lowest"}}, acme_d=source)
    assert repr(alphabet.settings(decoder="lowest", seeds=3, n=4).decoder) == "Lowest(offset=0, seeds=3, n=4)"


def test_a_value_that_is_short_is_shown_as_it_is() -> None:
    values: list[Any] = [3, "x", None, [1, "a"], {"k": 2}, (1.5,), b"m", np.int64(3)]
    assert [shown(value) for value in values] == [repr(value) for value in values]
