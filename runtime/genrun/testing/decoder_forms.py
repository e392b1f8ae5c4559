"""The ways in which a decoder is called, and what it answers: row by row, checked for shape, type and range."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from genrun.checks.short_text import class_name
from genrun.generating.choosing.checked_choice import checked_ids
from genrun.sampling import Candidates
from genrun.testing.outcomes import Failed
from genrun.testing.scenes import Scene, read_only

__all__ = ["Answers", "Form", "first_difference", "forms_of", "out_of", "states_of", "together"]

Answers = list[Any]  # of each row: the chosen id, or the candidates that are left as pairs of id and logit
Form = Callable[[Any, Scene], Answers]

_ROUNDS = 3  # of calls of each thread
_SWITCH_SECONDS = 1e-5
_READ_ONLY = 2  # the contract since which a decoder must not change the logits


def forms_of(link: object, contract: int) -> dict[str, Form]:
    """Return the ways to call ``link``, a decoder, a stage or a chooser, by the name of the method."""
    known: dict[str, Form] = {
        "choose": _choose if contract >= _READ_ONLY or _has_parameters(link) else _choose_in_place,
        "apply": _apply,
        "pick": _pick,
    }
    return {name: form for name, form in known.items() if callable(getattr(link, name, None))}


def out_of(scene: Scene, whole: bool) -> list[set[int]]:
    """Return the ids that may be chosen in each row; ``whole``: of all ids, not only the candidates of the scene."""
    if whole:
        return [set(np.flatnonzero(row.logits > -np.inf).tolist()) for row in scene.rows]
    return [{token for token, _ in row} for row in _left(scene.candidates)]


def states_of(link: Any, scene: Scene) -> list[Any]:
    """Return the state of each row, by the fold of ``link``; None for each without one."""
    if not callable(getattr(link, "first", None)):
        return [None] * len(scene.rows)
    states = []
    for row in scene.rows:
        state = link.first(row.prompt)
        for token in row.new_ids if state is not None else ():
            state = link.follow(state, token)
        states.append(state)
    return states


def _has_parameters(link: Any) -> bool:
    return callable(getattr(link, "parameters", None)) and link.parameters() is not None


def _choose_in_place(link: Any, scene: Scene) -> Answers:
    logits = scene.logits
    return _ids(link.choose(logits, scene.tokens, scene.draws), logits.shape, "choose()")


def _choose(link: Any, scene: Scene) -> Answers:
    logits = read_only(scene.logits)
    answer = _guarded(link.choose, logits, scene.tokens, scene.draws)
    return _ids(answer, logits.shape, "choose()")


def _pick(link: Any, scene: Scene) -> Answers:
    candidates = scene.candidates
    answer = _guarded(link.pick, candidates, states_of(link, scene), scene.draws)
    return _ids(answer, (len(scene.rows), candidates.vocabulary), "pick()")


def _apply(link: Any, scene: Scene) -> Answers:
    left = _guarded(link.apply, scene.candidates, states_of(link, scene), scene.draws)
    if type(left) is not Candidates:
        raise Failed(f"apply() must return Candidates, not {class_name(left)}")
    _check_arrays(left, len(scene.rows), scene.candidates.vocabulary)
    return _left(left)


def _guarded(method: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``method``; that it changes a read-only array, it has from us."""
    try:
        return method(*arguments)
    except ValueError as error:
        if "read-only" in str(error):
            raise Failed(f"{method.__name__}() changes an array that it is given; make a copy") from error
        raise


def _ids(answer: object, shape: tuple[int, ...], what: str) -> Answers:
    ids, wrong = checked_ids(answer, shape)
    if wrong:
        raise Failed(f"{what} {wrong}")
    return list(ids)


def _check_arrays(left: Candidates, batch: int, vocabulary: int) -> None:
    logits, ids = left.logits, left.ids
    if type(logits) is not np.ndarray or logits.dtype != np.float32 or logits.ndim != 2 or len(logits) != batch:
        raise Failed(f"apply() must return logits float32 [{batch}, c], not {_described(logits)}")
    if ids is None:
        if logits.shape[1] != vocabulary:
            raise Failed(f"candidates without ids have a column for each of {vocabulary} ids, not {logits.shape[1]}")
    elif type(ids) is not np.ndarray or ids.dtype != np.int64 or ids.shape != logits.shape:
        raise Failed(f"apply() must return ids int64 {list(logits.shape)}, as its logits, not {_described(ids)}")
    if left.vocabulary != vocabulary:
        raise Failed(f"apply() changes the vocabulary of the candidates from {vocabulary} to {left.vocabulary}")
    if np.isnan(logits).any():
        raise Failed("apply() returns a logit that is NaN, which is not a number")
    if (logits == np.inf).any():
        raise Failed("apply() returns a logit that is plus infinity; the highest ones must be numbers")
    if ids is not None and (ids[logits > -np.inf].min(initial=0) < 0 or ids.max(initial=0) >= vocabulary):
        raise Failed(f"apply() returns an id outside 0 … {vocabulary - 1}, or brings back a column without one")
    for row in _left(left):
        if not row:
            raise Failed("apply() leaves a row without any candidate; Candidates.keep() never does")
        if len({token for token, _ in row}) < len(row):
            raise Failed("apply() returns the same id twice in a row")


def _left(candidates: Candidates) -> Answers:
    rows: Answers = []
    for number, logits in enumerate(candidates.logits):
        columns = np.flatnonzero(logits > -np.inf)
        ids = columns if candidates.ids is None else candidates.ids[number, columns]
        rows.append(tuple(zip(ids.tolist(), logits[columns].tolist(), strict=True)))
    return rows


def _described(array: object) -> str:
    return f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else class_name(array)


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> int | None:
    """Return the first row in which two lists of answers differ; None if they are the same.

    >>> first_difference([1, 2], [1, 3])
    1
    """
    return next((row for row, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), None)


def together(call: Callable[[Scene], Answers], scenes: Sequence[Scene], expected: Sequence[Answers]) -> bool:
    """Return whether ``call`` returns something else than ``expected`` while a thread for each scene calls it."""
    start = threading.Barrier(len(scenes))

    def one(number: int) -> bool:
        start.wait()
        return any(call(scenes[number]) != expected[number] for _ in range(_ROUNDS))

    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)  # threads take turns more often than usual
    try:
        with ThreadPoolExecutor(len(scenes)) as pool:
            return any(list(pool.map(one, range(len(scenes)))))
    finally:
        sys.setswitchinterval(before)
