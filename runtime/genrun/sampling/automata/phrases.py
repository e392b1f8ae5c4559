"""A phrase as an expression over tokens."""

from __future__ import annotations

from genrun.sampling.automata.expressions import Sequence, Token
from genrun.sampling.automata.lexicon import Lexicon

__all__ = ["phrase"]


def phrase(lexicon: Lexicon, text: str) -> Sequence:
    """Return the expression of a word or of several; case makes no difference.

    Raises OptionError for words that the model does not have.
    """
    return Sequence([Token(mask) for mask in lexicon.phrase(text)])
