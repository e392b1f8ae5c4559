"""Checks of a fold: what a stage or chooser keeps of a row's past."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from genrun.testing.common_checks import no_global_chance, unchanged
from genrun.testing.decoder_forms import states_of
from genrun.testing.outcomes import Failed
from genrun.testing.scenes import Scene

__all__ = ["check_fold"]


def check_fold(link: Any, again: Any, scenes: Sequence[Scene]) -> None:
    """Raise Failed unless ``first`` and ``follow`` of ``link`` are pure; ``again`` is the same in another object."""
    with no_global_chance():
        for scene in scenes:
            for row in scene.rows:
                _check_row(link, again, row.prompt, row.new_ids or (0,))
            _check_use(link, scene)


def _check_row(link: Any, again: Any, prompt: tuple[int, ...], new_ids: tuple[int, ...]) -> None:
    state = link.first(prompt)
    if not unchanged(state, link.first(prompt)) or not unchanged(state, again.first(prompt)):
        raise Failed("first() returns another state for the same prompt: it must be a pure function")
    if (state is None) != (link.first(()) is None):
        raise Failed("first() returns None for some prompts only; None means that these options need no past")
    for token in new_ids if state is not None else ():
        before = copy.deepcopy(state)
        following = link.follow(state, token)
        kept = copy.deepcopy(following)
        other = link.follow(state, new_ids[0])  # another text that begins alike
        if not unchanged(state, before):
            raise Failed("follow() changes the state that it is given; return a new one")
        if not unchanged(following, kept):
            raise Failed("follow() changes a state that it has returned before; texts that begin alike share states")
        if token == new_ids[0] and not unchanged(other, following):
            raise Failed("follow() returns another state for the same arguments: it must be a pure function")
        if not unchanged(again.follow(before, token), following):
            raise Failed("follow() returns another state in a new object with the same options")
        state = following


def _check_use(link: Any, scene: Scene) -> None:
    """Raise Failed if the stage or chooser changes the states that it is given."""
    states = states_of(link, scene)
    before = copy.deepcopy(states)
    for name in ("apply", "pick"):
        if callable(method := getattr(link, name, None)):
            answer = method(scene.candidates, states, scene.draws)
            if not unchanged(states, before):
                raise Failed(f"{name}() changes the states that it is given; only follow() makes new ones")
            if name == "pick" and callable(adapt := getattr(link, "adapt", None)):
                adapted = adapt(scene.candidates, states, answer)
                if type(adapted) is not list or len(adapted) != len(states):
                    raise Failed("adapt() must return a list with the next state of each row")
                if not unchanged(states, before):
                    raise Failed("adapt() changes the states that it is given; return new ones")
