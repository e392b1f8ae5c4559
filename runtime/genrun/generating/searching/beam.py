"""Beam search: at each length, the likeliest beginnings go on."""

from __future__ import annotations

import math

import numpy as np

from genrun.generating.searching.branch import Branch
from genrun.generating.searching.growth import Growth, Level, Top
from genrun.generating.searching.methods import Beam

__all__ = ["beam_search"]


def beam_search(growth: Growth, beam: Beam) -> list[Branch]:
    """Return the likeliest texts that are found, at most ``beam.width``, the best first.

    At each length, the ``width`` likeliest unfinished beginnings are kept, and beside them the ``width`` best
    finished texts. It ends when no unfinished text can become better than those. So a beam that never has to leave
    out a beginning finds the best texts of all. (Lowerre, "The HARPY Speech Recognition System", 1976; division by a
    power of the length as in transformers.)
    """
    finished: list[tuple[float, Branch]] = []  # with their scores, the best first
    level = growth.root()
    while level.branches:
        going, ended = _best(growth, level, beam.width)
        finished += [(_score(branch, beam), branch) for branch in ended]
        rows, branches = [], []
        for row, branch in going:
            if branch.finish_reason:  # by a stop text
                finished.append((_score(branch, beam), branch))
            else:
                rows.append(row)
                branches.append(branch)
        finished = sorted(finished, key=lambda pair: -pair[0])[: beam.width]
        if not branches or (len(finished) == beam.width and finished[-1][0] >= _bound(growth, branches, beam)):
            break
        level = growth.grown(level, rows, branches)
    return [branch for _, branch in finished]


def _best(growth: Growth, level: Level, width: int) -> tuple[list[tuple[int, Branch]], list[Branch]]:
    """Return the ``width`` likeliest longer branches that go on, with the rows that they are of, and that end."""
    before = np.array([branch.log_probability for branch in level.branches])
    open_ends, closed_ends = Top(width), Top(width)
    for part in growth.followers(level):
        totals = before[part.rows] + part.model
        open_ends.add(np.where(part.ends, -np.inf, totals), part)
        closed_ends.add(np.where(part.ends, totals, -np.inf), part)
    made = []
    for top in (open_ends, closed_ends):
        kept = top.kept
        rows = [row for row, value in zip(kept.rows.tolist(), top.values, strict=True) if value > -np.inf]
        tokens, logs = kept.ids.tolist(), kept.model.tolist()
        made.append(
            [
                (row, growth.longer(level.branches[row], token, log, 0.0))
                for row, token, log in zip(rows, tokens, logs, strict=False)
            ]
        )
    return made[0], [branch for _, branch in made[1]]


def _score(branch: Branch, beam: Beam) -> float:
    return branch.log_probability / math.pow(len(branch.ids), beam.length_penalty)


def _bound(growth: Growth, branches: list[Branch], beam: Beam) -> float:
    """Return what no text that begins with one of ``branches`` exceeds: more tokens only lower the probability."""
    best = max(branch.log_probability for branch in branches)
    return best / math.pow(growth.max_new_tokens, beam.length_penalty)
