"""The constraint ``ends``: how lines end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Lexicon, last_words

__all__ = ["Ends"]


@dataclass(frozen=True, slots=True)
class Ends:
    """Each line ends with one of ``words``; marks may follow it. A text without line breaks is one line.

    ``line``: only the line with this number, from 1; 0 means every line. Case makes no difference. Raises OptionError
    for no word, for several words in one, and for words that the model does not have.
    """

    words: tuple[str, ...]
    line: int = 0

    def __post_init__(self) -> None:
        if not self.words or not all(word.strip() for word in self.words):
            raise OptionError("words must be one or more words")
        if not 0 <= self.line <= 1000:
            raise OptionError(f"line must be from 0 to 1000, not {self.line}")

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts whose lines end so."""
        lexicon.need_words()
        found = np.zeros(len(lexicon), np.bool_)
        for word in self.words:
            masks = lexicon.phrase(word)
            if len(masks) > 1 or not (masks[0] & lexicon.words).any():
                raise OptionError(f"a line ends with one word, which {word!r} is not")
            found |= masks[0]
        if self.line > 1:
            lexicon.need_breaks()
        return last_words(lexicon, found, self.line)
