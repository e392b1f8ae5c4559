"""The constraint ``words``: how many words a text has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.sampling.automata import Automaton, Lexicon
from genrun_plugins.constraints._range import parse_range

__all__ = ["Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """The text has ``count`` words: a number, or a range such as ``5-8``, ``5-`` or ``-8``.

    What has a letter or a digit is a word; ``'s`` and ``n't`` belong to the word before. Raises OptionError for what
    is no range.
    """

    count: str

    def __post_init__(self) -> None:
        parse_range(self.count)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts with this many words."""
        lexicon.need_words()
        least, most = parse_range(self.count)
        last = least if most is None else most
        numbers = np.arange(last + 1)
        table = np.column_stack([numbers, numbers + 1])
        table[last, 1] = last if most is None else -1
        return Automaton(lexicon.words.astype(np.int64), table, numbers >= least)
