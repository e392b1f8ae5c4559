"""The constraint ``order``: words and phrases that a text has, one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.sampling.automata import Automaton, Lexicon, Repeat, Sequence, Token, compiled, phrase
from genrun_plugins._checks import check_phrases

__all__ = ["Order"]


@dataclass(frozen=True, slots=True)
class Order:
    """The text has all ``phrases``, words or several words, in this order, with anything around them.

    Case makes no difference. Raises OptionError for no phrase, and for words that the model does not have.
    """

    phrases: tuple[str, ...]

    def __post_init__(self) -> None:
        check_phrases(self.phrases)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that have the phrases in order."""
        lexicon.need_words()
        anything = Repeat(Token(np.ones(len(lexicon), np.bool_)))
        parts = [anything, *(part for text in self.phrases for part in (phrase(lexicon, text), anything))]
        return compiled(Sequence(parts), lexicon.marks)
