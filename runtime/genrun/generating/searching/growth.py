"""The tree of all texts of a prompt, level by level: what may follow the branches, and the branches made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError, PluginError
from genrun.generating.choosing.decoder_step import restrict
from genrun.generating.draws import branch_numbers
from genrun.generating.searching.branch import Branch, Prompt
from genrun.generating.stepping.session import NOT_NUMBERS, States, StepSession
from genrun.sampling import Candidates, Chain, log_normalizers, top_k
from genrun.sampling.weights import UNITS

__all__ = ["Followers", "Growth", "Level", "Limits", "Top"]

_ROWS = 64  # that take a step together


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text may consist of, and when it ends.

    ``stops``: whether a stop text may end it, so that its text must be looked at.
    """

    stop_ids: tuple[int, ...]
    suppressed_ids: tuple[int, ...]
    max_new_tokens: int
    seed: int
    stops: bool


class Followers(NamedTuple):
    """Tokens that may follow some branches of a level: one entry for each pair of branch and token.

    They are in the order of the branches, and of the ids unless only the likeliest are looked at. ``rows``: intp
    ``[pairs]``, the numbers of the branches. ``ids``: int64. ``model``, ``decoder``: float64, the log-probability of
    the token by each. ``ends``: bool, whether the text ends with it.
    """

    rows: NDArray[np.intp]
    ids: NDArray[np.int64]
    model: NDArray[np.float64]
    decoder: NDArray[np.float64]
    ends: NDArray[np.bool_]


class Level:
    """Branches of one length, none of them finished, and the states of the model before their last tokens."""

    def __init__(self, branches: Sequence[Branch], tokens: Sequence[int], states: States) -> None:
        self.branches, self.tokens, self.states = branches, np.array(tokens, np.int64), states
        self.following: list[States] = []  # of each part that has taken its step


class Growth:
    """Steps all branches of a level with the model, and lets the stages of ``chain`` say what may follow them.

    ``most``: of each branch, only this many of the likeliest tokens are looked at, besides those that end a text; the
    decoder's probabilities are not needed then. None: all tokens. What is found for a branch does not depend on the
    others.
    """

    def __init__(
        self, session: StepSession, chain: Chain, limits: Limits, prompt: Prompt, most: int | None = None
    ) -> None:
        self._session, self._chain, self._limits, self._prompt = session, chain, limits, prompt
        self._most = most
        self._stop_ids = np.array(sorted(limits.stop_ids), np.int64)
        self.max_new_tokens = limits.max_new_tokens

    def root(self) -> Level:
        """Return the level of one branch without new tokens; the prompt has been read but for its last token."""
        ids = self._prompt.ids
        states = self._session.initial_states(1)
        for token in ids[:-1]:
            _, states = self._session.step(np.array([token], np.int64), states)
        of_chain = self._chain.first(ids) if self._chain.has_states else ()
        return Level([Branch(states=of_chain, open_prompt=self._prompt.open_prompt)], ids[-1:], states)

    def followers(self, level: Level) -> Iterator[Followers]:
        """Yield what may follow the branches of ``level``, some branches at a time, in their order.

        Raises ModelFileError for logits that are not numbers, PluginError for stages that break their contract.
        """
        level.following.clear()
        for first in range(0, len(level.branches), _ROWS):
            part = slice(first, first + _ROWS)
            logits, following = self._session.step(level.tokens[part], [state[part] for state in level.states])
            level.following.append(following)
            yield self._after(level.branches[part], logits, first)

    def grown(self, level: Level, rows: Sequence[int], branches: Sequence[Branch]) -> Level:
        """Return the next level: ``branches``, each made of the one of ``level`` with the number in ``rows``."""
        kept = np.array(rows, np.intp)
        states = [np.concatenate(parts)[kept] for parts in zip(*level.following, strict=True)]
        return Level(branches, [branch.ids[-1] for branch in branches], states)

    def longer(self, branch: Branch, token: int, model: float, decoder: float) -> Branch:
        """Return ``branch`` with one more token, which has these log-probabilities; it may be finished by it."""
        ids = (*branch.ids, token)
        reason = ""
        if self._limits.stops and self._prompt.write(ids).stopped:
            reason = "stop"
        elif token in self._limits.stop_ids:
            reason = "end"
        elif len(ids) == self.max_new_tokens:
            reason = "length"
        going = self._chain.has_states and not reason
        opened = branch.open_prompt
        return Branch(
            ids=ids,
            log_probability=branch.log_probability + model,
            drawn=branch.drawn + decoder,
            states=self._chain.follow(branch.states, token) if going else (),
            open_prompt=opened.after(token) if opened else None,
            finish_reason=reason,
        )

    def numbers(self, branch: Branch) -> NDArray[np.float64]:
        """Return uniform numbers of a branch, one for each token, float64 ``[vocabulary]``, always the same ones."""
        return self._numbers(branch, self._session.vocabulary + 1)[1:]

    def _numbers(self, branch: Branch, count: int) -> NDArray[np.float64]:
        return branch_numbers(self._limits.seed, self._prompt.key, branch.ids, count)

    def _after(self, branches: Sequence[Branch], logits: NDArray[np.float32], first: int) -> Followers:
        normalizers = log_normalizers(logits)
        if not np.isfinite(normalizers).all():
            raise ModelFileError(NOT_NUMBERS)
        logits[:, self._limits.suppressed_ids] = -np.inf
        restrict(logits, [branch.open_prompt.allowed() if branch.open_prompt else None for branch in branches])
        for row, branch in zip(logits, branches, strict=True):
            if self._prompt.from_nothing and not branch.ids:
                _begin(row, self._stop_ids)
        whole = self._candidates(branches, logits).whole()  # [rows, vocabulary]
        rows, ids = (whole > -np.inf).nonzero() if self._most is None else self._likeliest(logits, whole)
        if np.isneginf(logits[rows, ids]).any() or not np.bincount(rows, minlength=len(branches)).all():
            raise PluginError("the stages of the chain have left a text without candidates, or brought one back")
        last = len(branches[0].ids) + 1 == self.max_new_tokens
        return Followers(
            rows=rows + first,
            ids=ids,
            model=np.minimum(logits[rows, ids] - normalizers[rows], 0.0),
            decoder=np.zeros(len(rows)) if self._most is not None else self._drawn(whole, rows, ids),
            ends=np.isin(ids, self._stop_ids) | last,
        )

    def _likeliest(
        self, logits: NDArray[np.float32], whole: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return rows and ids, ``[pairs]``, of the likeliest candidates and of those that end a text."""
        left = np.where(whole > -np.inf, logits, np.float32(-np.inf))
        going = left.copy()
        going[:, self._stop_ids] = -np.inf
        found = top_k(going, self._most or 1)
        ids = np.concatenate([found, np.broadcast_to(self._stop_ids, (len(found), len(self._stop_ids)))], axis=1)
        rows, columns = (np.take_along_axis(left, ids, axis=1) > -np.inf).nonzero()
        # Where few can follow, those that end a text may be found twice.
        doubled = (columns < found.shape[1]) & np.isin(ids[rows, columns], self._stop_ids)
        return rows[~doubled], ids[rows, columns][~doubled]

    def _drawn(
        self, whole: NDArray[np.float32], rows: NDArray[np.intp], ids: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the log-probability of each pair by the decoder; sums are those of whole numbers, so exact."""
        temperature = self._chain.temperature or 1.0
        highest = whole.max(axis=1)
        logs = (whole[rows, ids] - highest[rows]).astype(np.float64) / temperature
        weights = np.rint(np.exp(logs) * UNITS)
        totals = np.bincount(rows, weights) / UNITS
        drawn: NDArray[np.float64] = np.minimum(logs - np.log(totals)[rows], 0.0)
        return drawn

    def _candidates(self, branches: Sequence[Branch], logits: NDArray[np.float32]) -> Candidates:
        """Return what the stages leave; one that uses chance gets a number of its branch."""
        given = logits.view()
        given.flags.writeable = False
        stages = bool(self._chain.stages)
        bits = [int(self._numbers(branch, 1)[0] * 2**24) if stages else 0 for branch in branches]
        draws = (np.array(bits, np.float64) / 2**24).astype(np.float32)
        return self._chain.candidates(given, [branch.states for branch in branches], draws)


def _begin(logits: NDArray[np.float32], stop_ids: NDArray[np.int64]) -> None:
    """Set the logits ``[vocabulary]`` of what ends a text to minus infinity if anything else is allowed."""
    begun = logits.copy()
    begun[stop_ids] = -np.inf
    if np.isfinite(begun).any():
        logits[:] = begun


class Top:
    """Keeps the ``count`` followers with the highest values, of equal ones the first.

    ``values``: float64, the highest first. ``rows``, ``ids``, ``model``, ``decoder``, ``ends``: as in Followers.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.values = np.zeros(0)
        self.kept = Followers(
            np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_)
        )

    def add(self, values: NDArray[np.float64], followers: Followers) -> None:
        """Look at more followers, of later branches, with these ``values``, ``[pairs]``."""
        chosen = _highest(values, self._count)
        both = np.concatenate([self.values, values[chosen]])
        order = _highest(both, self._count)
        self.values = both[order]
        pairs = zip(self.kept, followers, strict=True)
        self.kept = Followers._make(np.concatenate([old, new[chosen]])[order] for old, new in pairs)


def _highest(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the places of the ``count`` highest values, the highest first, of equal ones the first."""
    places: NDArray[np.intp] = np.arange(len(values))
    if len(values) > count:
        least = np.partition(values, len(values) - count)[len(values) - count]
        places = (values >= least).nonzero()[0]
    order = np.argsort(-values[places], kind="stable")[:count]
    chosen: NDArray[np.intp] = places[order]
    return chosen
