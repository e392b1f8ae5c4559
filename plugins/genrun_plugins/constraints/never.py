"""The constraint ``never``: words and phrases that a text does not have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from genrun.sampling.automata import Automaton, Choice, Lexicon, Repeat, Sequence, Token, compiled, phrase
from genrun_plugins._checks import check_phrases

__all__ = ["Never"]


@dataclass(frozen=True, slots=True)
class Never:
    """The text has none of ``phrases``, words or several words, also where marks stand between them.

    Case makes no difference. Raises OptionError for no phrase, and for words that the model does not have.
    """

    phrases: tuple[str, ...]

    def __post_init__(self) -> None:
        check_phrases(self.phrases)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts without the phrases."""
        lexicon.need_words()
        anything = Repeat(Token(np.ones(len(lexicon), np.bool_)))
        phrases = [phrase(lexicon, text) for text in self.phrases]
        found = compiled(Sequence([anything, Choice(phrases)]), lexicon.marks)
        dead = np.where(found.accepts[found.table], -1, found.table)  # what accepts has a phrase
        return dataclasses.replace(found, table=dead, accepts=~found.accepts)
