"""The constraint ``acrostic``: the first letters of lines, or of words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Lexicon, first_letter

__all__ = ["Acrostic"]

_OTHER, _BREAK, _FIRST = range(3)  # classes; those of words come last, by letter


@dataclass(frozen=True, slots=True)
class Acrostic:
    """The first letters of the lines are those of ``text``, and there are as many lines.

    ``of``: ``lines``, or ``words``: the first letters of the words are those of ``text``. Case, accents, and anything
    in ``text`` but letters and digits make no difference. Raises OptionError for a text without letters.
    """

    text: str
    of: str = "lines"

    def __post_init__(self) -> None:
        if self.of not in ("lines", "words"):
            raise OptionError(f"of must be lines or words, not {self.of!r}")
        if not self.letters:
            raise OptionError(f"text must have a letter; {self.text!r} has none")

    @property
    def letters(self) -> str:
        """The letters that are needed, without case and accents."""
        return "".join([first_letter(letter) for letter in self.text])

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts with these first letters."""
        if self.of == "lines" and len(self.letters) > 1:
            lexicon.need_breaks()
        lexicon.need_words()
        found = [first_letter(text) for text in lexicon.texts]
        names = {letter: number for number, letter in enumerate(dict.fromkeys(self.letters), _FIRST)}
        other = _FIRST + len(names)
        classes = np.array([names.get(letter, other) for letter in found])
        classes[~lexicon.words], classes[lexicon.breaks] = _OTHER, _BREAK
        for letter, number in names.items():
            if not (lexicon.usable & (classes == number)).any():
                raise OptionError(f"no word of the model begins with {letter!r}")
        count = len(self.letters)
        if self.of == "words":
            table = np.full((count + 1, other + 1), -1)
            table[:, [_OTHER, _BREAK]] = np.arange(count + 1)[:, None]
            for place, letter in enumerate(self.letters):
                table[place, names[letter]] = place + 1
            return Automaton(classes, table, np.arange(count + 1) == count)
        table = np.full((2 * count, other + 1), -1)  # state 2n: before the first word of line n; 2n + 1: within it
        table[:, _OTHER] = np.arange(2 * count)
        for place, letter in enumerate(self.letters):
            table[2 * place, names[letter]] = 2 * place + 1
            table[2 * place, _BREAK] = 2 * place if place else -1
            table[2 * place + 1, _FIRST:] = 2 * place + 1
            table[2 * place + 1, _BREAK] = 2 * place + 2 if place + 1 < count else -1
        return Automaton(classes, table, np.arange(2 * count) == 2 * count - 1)
