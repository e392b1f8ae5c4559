"""The constraint ``lines``: how many lines a text has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.sampling.automata import Automaton, Lexicon
from genrun_plugins.constraints._range import parse_range

__all__ = ["Lines"]

_OTHER, _WORD, _BREAK = range(3)


@dataclass(frozen=True, slots=True)
class Lines:
    """The text has ``count`` lines: a number, or a range such as ``2-4``. Lines without a word are not counted.

    Raises OptionError for what is no range.
    """

    count: str

    def __post_init__(self) -> None:
        parse_range(self.count)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts with this many lines."""
        least, most = parse_range(self.count)
        if least > 1:
            lexicon.need_breaks()
        lexicon.need_words()
        last = least if most is None else most
        lines = np.repeat(np.arange(last + 1), 2)  # state 2n: n lines are begun, none is open; 2n + 1: the nth is
        table = np.empty((len(lines), 3), np.int64)
        table[:, _OTHER] = np.arange(len(lines))
        table[::2, _WORD], table[1::2, _WORD] = 2 * lines[::2] + 3, 2 * lines[1::2] + 1
        table[:, _BREAK] = 2 * lines
        table[2 * last, _WORD] = -1 if most is not None else 2 * last + 1
        table[1] = -1  # there is no line 0
        classes = np.full(len(lexicon), _OTHER)
        classes[lexicon.words], classes[lexicon.breaks] = _WORD, _BREAK
        return Automaton(classes, table, lines >= least)
