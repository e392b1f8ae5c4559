"""Stochastic beam search: texts are drawn without replacement, in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrun.generating.searching.branch import Branch
from genrun.generating.searching.growth import Followers, Growth, Level, Top

__all__ = ["draw_distinct"]

_LEAST = 2.0**-54  # below all numbers but 0


def draw_distinct(growth: Growth, count: int) -> list[Branch]:
    """Return ``count`` different sequences of tokens in the order in which they are drawn; all, if there are fewer.

    The first one is drawn with the probabilities of the decoder, each further one with those that the rest has, as
    if texts were drawn again and again and those that are there already thrown away.

    Each text has the value log p + G, with independent G of the Gumbel distribution; the highest are such a draw. A
    beginning has the highest value of its texts. It is drawn before theirs, which are then drawn under the condition
    that the highest is this one. So the search only follows the highest. The numbers of a beginning follow from the
    seed, so a larger ``count`` begins with the same texts. (Kool et al., "Stochastic Beams and Where to Find Them",
    2019.)
    """
    finished: list[tuple[float, Branch]] = []
    level, values = growth.root(), np.zeros(1)
    while level.branches:
        top = Top(count)
        for part in growth.followers(level):
            top.add(_conditional(growth, level, values, part), part)
        kept = top.kept
        grown = [
            (value, row, growth.longer(level.branches[row], token, model, decoder))
            for value, row, token, model, decoder in zip(
                top.values.tolist(),
                kept.rows.tolist(),
                kept.ids.tolist(),
                kept.model.tolist(),
                kept.decoder.tolist(),
                strict=True,
            )
        ]
        both = [(value, -1, branch) for value, branch in finished] + grown
        best = sorted(both, key=lambda entry: -entry[0])[:count]
        finished = [(value, branch) for value, _, branch in best if branch.finish_reason]
        going = [entry for entry in best if not entry[2].finish_reason]
        if not going:
            break
        values = np.array([value for value, _, _ in going])
        level = growth.grown(level, [row for _, row, _ in going], [branch for _, _, branch in going])
    return [branch for _, branch in finished]


def _conditional(growth: Growth, level: Level, values: NDArray[np.float64], part: Followers) -> NDArray[np.float64]:
    """Return the values of followers, float64 ``[pairs]``, whose highest is the value of the branch before them.

    ``values``: of all branches of the level. Kool et al., appendix B.3, a form that does not overflow.
    """
    starts = np.concatenate([[0], np.flatnonzero(np.diff(part.rows)) + 1])
    rows = part.rows[starts].tolist()
    ends = [*starts[1:].tolist(), len(part.rows)]
    uniform = [
        np.maximum(growth.numbers(level.branches[row])[part.ids[start:end]], _LEAST)
        for row, start, end in zip(rows, starts.tolist(), ends, strict=True)
    ]
    before = np.array([branch.drawn for branch in level.branches])
    with np.errstate(divide="ignore"):  # for the highest, log 0 is minus infinity
        gumbel = before[part.rows] + part.decoder - np.log(-np.log(np.concatenate(uniform)))
        highest = np.repeat(np.maximum.reduceat(gumbel, starts), np.diff([*starts, len(gumbel)]))
        aim = values[part.rows]
        shifted = aim - gumbel + np.log(-np.expm1(gumbel - highest))
    conditional: NDArray[np.float64] = aim - np.maximum(shifted, 0) - np.log1p(np.exp(-np.abs(shifted)))
    return conditional
