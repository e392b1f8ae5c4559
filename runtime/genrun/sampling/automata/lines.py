"""The automaton of how lines end: for the constraint ``ends``, and for plugins that find rhymes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrun.sampling.automata.automaton import Automaton
from genrun.sampling.automata.lexicon import Lexicon

__all__ = ["last_words"]

_MARK, _OTHER, _LAST, _BREAK = range(4)
_BEFORE, _ENDS, _GOES_ON = range(3)  # of a line: no word yet, a word of the set, another word


def last_words(lexicon: Lexicon, words: NDArray[np.bool_], line: int = 0) -> Automaton:
    """Return the automaton of texts whose lines end with one of ``words``, bool ``[tokens]``; marks may follow it.

    ``line``: the number of the line that is meant, from 1; 0 for every line. Lines without a word are not counted.
    """
    classes = np.full(len(lexicon), _OTHER)
    classes[lexicon.marks], classes[lexicon.breaks] = _MARK, _BREAK
    classes[words] = _LAST
    lines = max(line, 1)
    table = np.full((3 * lines + 1, 4), -1)  # three states for each line, and one behind the line that is meant
    after = 3 * lines
    for number in range(lines):
        state = 3 * number
        meant, following = number == lines - 1, state + 3
        if not line:
            following = state
        for where in (_BEFORE, _ENDS, _GOES_ON):
            table[state + where] = (state + where, state + _GOES_ON, state + _ENDS, following)
        table[state + _BEFORE, _BREAK] = state
        if meant:
            table[state + _GOES_ON, _BREAK] = -1
    table[after] = after
    accepts = np.zeros(len(table), np.bool_)
    accepts[[after - 3 + _ENDS, after]] = True
    return Automaton(classes, table, accepts).smallest()
