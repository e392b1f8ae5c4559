"""The public calls as a user writes them: mypy checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import genrun
from genrun import plugins
from genrun.testing import check_decoder, check_reader


@dataclass(frozen=True)
class NoRepeat:
    """A decoder of the user's own."""

    window: int = 8

    def choose(
        self, logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]], draws: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        chosen: NDArray[np.int64] = logits.argmax(axis=1)
        return chosen


def generate(model: genrun.Model) -> None:
    assert_type(model.generate(), str)
    assert_type(model.generate("the council", seed=7, max_new_tokens=8, stop=["."], casing="title"), str)
    model.generate("the council", decoder="top-k", k=40, temperature=0.8)
    model.generate("the council", decoder=NoRepeat(window=2), stop=".", seed=None)
    for piece in model.stream("the council", decoder="greedy"):
        assert_type(piece, str)


def a_misspelt_keyword_is_found(model: genrun.Model) -> None:
    model.generate("the council", sede=7)  # type: ignore[call-arg]
    model.generate("the council", max_new_tokens="8")  # type: ignore[arg-type]
    model.generate("the council", n=2)  # type: ignore[call-arg]


def options_of_other_decoders_are_settings(model: genrun.Model) -> None:
    settings = model.settings(decoder="no-repeat", window=2, seed=7)
    assert_type(model.generate("the council", settings=settings), str)
    assert_type(model.generate_many(["the council"], n=2, settings=settings), list[genrun.Result])


def generate_many(model: genrun.Model, prompts: Sequence[str]) -> None:
    for result in model.generate_each(prompts, n=2, batch_size=8, seed=7, temperature=0.9):
        assert_type(result.text, str)
        assert_type(result.ids, tuple[int, ...])
    for score in model.score_each(prompts):
        assert_type(score, genrun.Score)
    assert_type(model.generate_many(prompts, n=2, beam=16, length_penalty=1.0), list[genrun.Result])
    assert_type(model.generate("the council", distinct=True), str)
    assert_type(model.mixed_with(model, 0.3), genrun.Model)
    assert_type(model.suggest("today in n", n=3), list[genrun.Suggestion])
    assert_type(genrun.verify(model).passed, bool)


async def from_an_event_loop(model: genrun.Model) -> None:
    assert_type(await model.agenerate("the council", seed=7), str)
    assert_type(await model.agenerate_many(["the council"], n=2, k=5), list[genrun.Result])
    async for piece in model.astream("the council", stop="."):
        assert_type(piece, str)


def load() -> genrun.Model:
    return genrun.load("headlines.onnx", device=["CPUExecutionProvider"], threads=2)


def a_plugin_is_checked_in_one_line(tiny_corpus: Path) -> None:
    check_decoder(NoRepeat(window=2))
    check_reader(plugins.make_reader("text"), [str(tiny_corpus)], bad=None)
    assert_type(plugins.CONTRACT, int)
    assert_type(plugins.make_decoder("top-k", {"k": 5}), plugins.Decoder)
