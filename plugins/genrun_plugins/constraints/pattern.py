"""The constraint ``pattern``: a regular expression whose letters are words."""

from __future__ import annotations

from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Expression, Lexicon, Repeat, Sequence, Token, compiled, phrase
from genrun_plugins.constraints._expression_text import parse_expression

__all__ = ["Pattern", "word_expression"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole text matches ``text``, a regular expression over words such as ``the (old|new) _ of _+``.

    ``_`` is any word, ``/`` a line break, ``(a|b)`` one of two, and ``*``, ``+``, ``?``, ``{2}``, ``{2,4}`` repeat
    what stands before them. Case makes no difference. Marks may stand anywhere; one in the expression must be there.
    Raises OptionError for what is no expression, and for words that the model does not have.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise OptionError("text must not be empty")
        parse_expression(self.text, lambda word: Sequence())

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that match."""
        lexicon.need_words()
        return compiled(parse_expression(self.text, lambda word: word_expression(lexicon, word)), lexicon.marks)


def word_expression(lexicon: Lexicon, word: str) -> Expression:
    """Return the expression of a word, of ``_``, which is any word, or of ``/``, a line break."""
    if word == "_":
        return Sequence([Token(lexicon.words), Repeat(Token(lexicon.attached))])
    if word == "/":
        lexicon.need_breaks()
        return Repeat(Token(lexicon.breaks), 1)
    return phrase(lexicon, word)
