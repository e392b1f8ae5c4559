"""Finite automata over the tokens of a model: what the parts of a constraint are compiled to, for plugins too."""

from genrun.sampling.automata.automaton import Automaton
from genrun.sampling.automata.expressions import Choice, Expression, Repeat, Sequence, Token, compiled, phrase
from genrun.sampling.automata.lexicon import Lexicon, Opening, first_letter
from genrun.sampling.automata.lines import last_words

__all__ = [
    "Automaton",
    "Choice",
    "Expression",
    "Lexicon",
    "Opening",
    "Repeat",
    "Sequence",
    "Token",
    "compiled",
    "first_letter",
    "last_words",
    "phrase",
]
