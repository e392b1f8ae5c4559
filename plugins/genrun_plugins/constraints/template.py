"""The constraint ``template``: a text with gaps."""

from __future__ import annotations

from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Expression, Lexicon, Repeat, Sequence, compiled
from genrun_plugins.constraints.pattern import word_expression

__all__ = ["Template"]


@dataclass(frozen=True, slots=True)
class Template:
    """The text is ``text`` with its gaps filled: ``The _ of the _ / ...``.

    ``_`` is one word, ``...`` or ``…`` any number of words in a line, ``/`` the end of a line. Case makes no
    difference. Marks may stand anywhere; one in the template must be there. Raises OptionError for an empty template,
    and for words that the model does not have.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise OptionError("text must not be empty")

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that fill the template."""
        lexicon.need_words()
        return compiled(Sequence([_part(lexicon, word) for word in self.text.split()]), lexicon.marks)


def _part(lexicon: Lexicon, word: str) -> Expression:
    if word in ("...", "…"):
        return Repeat(word_expression(lexicon, "_"))
    return word_expression(lexicon, word)
