"""Arguments of the wrong type: one line each, wherever they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import genrun
from genrun.errors import OptionError
from genrun.model import Model

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
    ("what is scored must be text, not 3", lambda model: model.score(3)),
    ("what is continued must be text, not 3", lambda model: model.suggest(3)),
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
    ("a decoder must be a name or an object with a method 'choose', not 3", lambda m: m.generate("a", decoder=3)),
    ("max_new_tokens must be a whole number from 1 to 1,000,000, not '3'", lambda m: m.settings(max_new_tokens="3")),
    ("seed must be a whole number from 0 to 2**64 - 1, not 'x'", lambda model: model.settings(seed="x")),
    ("a model file must be given as a path, not None", lambda model: genrun.load(None)),  # type: ignore[arg-type]
    ("a model file must be given as a path, not b'm'", lambda model: genrun.load(b"m")),  # type: ignore[arg-type]
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
