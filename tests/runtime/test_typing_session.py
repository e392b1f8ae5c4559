"""Suggestions while typing: the same as from scratch, at a step or so a keystroke, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun.errors import OptionError
from genrun.generating.stepping.session import States, StepSession
from genrun.model import Model
from genrun.suggesting import KEPT_STATES
from genrun.suggesting.typing_session import StateTrail, TypingSession
from genrun.tokenizer import Normalization, Tokenizer
from support.alphabet import SPECIALS, babble_table, random_drift, write_model

WORDS = ("the", "then", "them", "ten", "hen", "he", "e", ",", ".", "’", "the’n")
EDGES = {"step": "isolate_edges", "leading": "“", "trailing": "’,."}


def load(path: Path, kind: str, specials: Sequence[str]) -> Model:
    marks = [f"<{name}>" for name in specials]
    vocabulary = [*marks, *(WORDS if kind == "word" else "then ,.")]
    steps = Normalization([EDGES]) if kind == "word" else None
    tokenizer = Tokenizer(kind=kind, vocabulary=vocabulary, specials=specials, normalization=steps)
    size = len(tokenizer)
    write_model(path, tokenizer, table=babble_table(size), drift=random_drift(size), casing="sentence")
    return genrun.load(path, device="cpu")


@pytest.fixture(scope="module")
def models(folder: Path) -> list[Model]:
    """Of words with all special tokens, of words with none but padding, and of characters."""
    cases = [("word", SPECIALS), ("word", ["pad"]), ("char", SPECIALS)]
    return [load(folder / f"typing-{i}.onnx", kind, specials) for i, (kind, specials) in enumerate(cases)]


class CountingSession:
    """A model's steps, counted."""

    def __init__(self, session: StepSession) -> None:
        self._session = session
        self.path = session.path
        self.initial_states = session.initial_states
        self.steps = 0

    def step(self, tokens: NDArray[Any], states: States) -> Any:
        self.steps += len(tokens)
        return self._session.step(tokens, states)


def counted(model: Model, keep: int = KEPT_STATES) -> tuple[TypingSession, CountingSession]:
    counting = CountingSession(model._session)
    return TypingSession(cast(StepSession, counting), model._suggester, casing=None, keep=keep), counting


def answer(typing: TypingSession, text: str) -> object:
    """Return everything that the session says of a text, errors included."""
    try:
        return typing.suggest(text, 4, end=True), typing.unknown
    except OptionError as error:
        return str(error)


characters = st.sampled_from("then ,.’x")
changes = st.lists(
    st.one_of(
        st.tuples(st.just("type"), st.text(characters, max_size=8)),
        st.tuples(st.just("delete"), st.integers(1, 9)),
        st.tuples(
            st.just("paste"), st.lists(st.sampled_from([*WORDS, "xyzzy", "<start>"]), max_size=9).map(" ".join)
        ),
        st.tuples(st.just("insert"), st.tuples(st.integers(0, 20), st.text(characters, min_size=1, max_size=2))),
    ),
    max_size=12,
)


def typed(edits: Sequence[tuple[str, Any]]) -> list[str]:
    """Return the text after every keystroke."""
    text, texts = "", [""]
    for what, value in edits:
        if what == "type":
            texts += [text + value[:length] for length in range(1, len(value) + 1)]
        elif what == "delete":
            texts += [text[:-length] for length in range(1, min(value, len(text)) + 1)]
        elif what == "paste":
            texts.append(value)
        else:
            at, added = value
            texts.append(text[:at] + added + text[at:])
        text = texts[-1]
    return texts


@given(changes, st.sampled_from([1, 2, 3, KEPT_STATES]), st.integers(0, 2))
def test_whatever_is_typed_the_answer_is_the_one_from_scratch(
    models: list[Model], edits: list[tuple[str, Any]], keep: int, which: int
) -> None:
    typing = models[which].typing(keep=keep)
    for text in typed(edits):
        assert answer(typing, text) == answer(models[which].typing(), text)


@given(changes, st.integers(0, 2))
def test_a_keystroke_costs_a_step_for_each_new_token_and_never_more_than_one_otherwise(
    models: list[Model], edits: list[tuple[str, Any]], which: int
) -> None:
    typing, session = counted(models[which])
    before: tuple[int, ...] = ()
    for text in typed(edits):
        session.steps = 0
        if not isinstance(answer(typing, text), str):
            ids = models[which]._suggester.read(text)[0].ids
            shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(ids, before, strict=False))))
            assert session.steps <= max(len(ids) - shared, 1)
            before = ids


def test_words_typed_deleted_and_typed_again_cost_at_most_a_step_a_keystroke(models: list[Model]) -> None:
    text = "then the hen then them ten xyzzy "
    typing, session = counted(models[0])
    whole = [text[:length] for length in range(len(text) + 1)]
    costs: list[int] = []
    for shown in [*whole, *whole[::-1], *whole]:
        session.steps = 0
        typing.suggest(shown)
        costs.append(session.steps)
    assert max(costs) == 1
    assert sum(costs[: len(whole)]) == 8  # the start and each word once: letters cost nothing
    session.steps = 0
    typing.suggest(text)
    assert session.steps == 0


def test_a_mark_that_finishes_a_word_costs_two_steps_the_first_time(models: list[Model]) -> None:
    typing, session = counted(models[0])
    costs = []
    for shown in ("hen", "hen,", "hen", "hen,"):
        session.steps = 0
        typing.suggest(shown)
        costs.append(session.steps)
    assert costs == [1, 2, 1, 1]


@pytest.mark.parametrize("keep", [1, 2, 5, 100])
def test_the_states_that_are_kept_are_bounded(models: list[Model], keep: int) -> None:
    typing, session = counted(models[0], keep)
    text = "then the " * 20
    for length in [*range(0, len(text), 3), *range(len(text), 0, -3), *range(0, len(text), 3)]:
        typing.suggest(text[:length])
        assert len(typing._trail._states) <= keep
    session.steps = 0
    typing.suggest("then ")
    typing.suggest("then the ")
    assert session.steps == (2 if keep == 100 else 3)  # the start as well, where it was dropped


def test_what_was_dropped_is_computed_again_from_the_nearest_that_was_kept(models: list[Model]) -> None:
    counting = CountingSession(models[0]._session)
    trail = StateTrail(cast(StepSession, counting), keep=4)
    ids = tuple(4 + i % 9 for i in range(20))
    costs = []
    for length in (20, 18, 17, 10, 9, 12, 20):
        counting.steps = 0
        trail.logits_after(ids[:length])
        costs.append(counting.steps)
    # 17 to 20 are kept; 18 from 17; 17 from nothing, since 16 is not kept; 10 likewise; 9 from 8; 12 from 10; …
    assert costs == [20, 1, 17, 10, 1, 2, 8]


def test_what_was_typed_over_takes_no_place(models: list[Model]) -> None:
    counting = CountingSession(models[0]._session)
    trail = StateTrail(cast(StepSession, counting), keep=4)
    costs = []
    for ids in ((4, 5, 6, 7, 8, 9), (4, 5, 6, 7, 4), (4,), (4, 5, 6, 7)):  # 3 and 4 are kept throughout
        counting.steps = 0
        trail.logits_after(ids)
        costs.append(counting.steps)
    assert costs == [6, 1, 1, 1]


def test_an_error_leaves_the_session_as_it_was(models: list[Model]) -> None:
    typing, session = counted(models[1])
    first = typing.suggest("the hen ")
    with pytest.raises(OptionError):
        typing.suggest("")
    session.steps = 0
    assert typing.suggest("the hen ") == first
    assert session.steps == 0


def test_the_session_is_the_models_own_and_names_unknown_words(models: list[Model]) -> None:
    typing = models[0].typing(casing="upper")
    assert isinstance(typing, genrun.TypingSession)
    assert [s.text for s in typing.suggest("the te")] == ["TEN"]
    assert not typing.unknown
    typing.suggest("the xyzzy, hen")
    assert typing.unknown == ("xyzzy",)
    assert models[0].typing().suggest("the te") == models[0].suggest("the te")
