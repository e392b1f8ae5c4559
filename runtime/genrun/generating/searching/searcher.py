"""Runs the search of a call for one prompt after another."""

from __future__ import annotations

from genrun.errors import OptionError
from genrun.generating.searching.beam import beam_search
from genrun.generating.searching.branch import Branch, Prompt
from genrun.generating.searching.distinct import draw_distinct
from genrun.generating.searching.growth import Growth, Limits
from genrun.generating.searching.methods import Beam, Search, Spread
from genrun.generating.searching.spread import draw_spread
from genrun.generating.stepping.session import StepSession
from genrun.sampling import Chain

__all__ = ["Searcher"]

_WIDEST = 100_000  # places of a draw whose texts are often equal


class Searcher:
    """Finds several texts of a prompt together, by the method ``search``."""

    def __init__(self, session: StepSession, chain: Chain, limits: Limits, search: Search) -> None:
        self._session, self._chain, self._limits, self._search = session, chain, limits, search

    def find(self, prompt: Prompt, n: int) -> list[Branch]:
        """Return ``n`` finished branches, in their order; by beam and distinct fewer, where there are no more texts.

        Two sequences of tokens may be one text: subwords that divide it otherwise, or what a stop text cuts. Beam
        search and distinct texts keep the first. With Gumbel values that is exact: the highest value of the sequences
        of a text is one for the sum of their probabilities.
        """
        most = self._search.width if isinstance(self._search, Beam) else None
        growth = Growth(self._session, self._chain, self._limits, prompt, most)
        if isinstance(self._search, Spread):
            return draw_spread(growth, n, self._limits.seed, prompt.key)
        if isinstance(self._search, Beam):
            return _different(beam_search(growth, self._search), prompt)[:n]
        width = n
        while True:
            drawn = draw_distinct(growth, width)
            different = _different(drawn, prompt)
            if len(different) >= n or len(drawn) < width:
                return different[:n]
            if width >= _WIDEST:
                raise OptionError(f"of {width:,} sequences of tokens, only {len(different):,} are different texts")
            width = min(2 * width, _WIDEST)


def _different(branches: list[Branch], prompt: Prompt) -> list[Branch]:
    """Return the first branch of each text."""
    first: dict[str, Branch] = {}
    for branch in branches:
        first.setdefault(prompt.write(branch.ids).text, branch)
    return list(first.values())
