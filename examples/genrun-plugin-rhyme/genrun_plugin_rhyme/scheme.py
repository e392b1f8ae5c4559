"""A rhyme scheme: which lines rhyme, and what has to be remembered of the lines so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Ending", "Heard", "Scheme"]

Heard = Mapping[str, tuple[int, int]]
"""For each letter that lines have still to rhyme with: the sound, and the words that are used, as bits."""


class Ending(NamedTuple):
    """How a word ends: its ``sound``, and which of the words of this sound it is."""

    sound: int
    word: int


@dataclass(frozen=True, slots=True)
class Scheme:
    """The ``letters`` of the lines, in upper case.

    >>> scheme = Scheme.read("ab ab")
    >>> heard = scheme.after({}, 0, Ending(5, 0))
    >>> heard, scheme.after(heard, 1, Ending(6, 1))
    ({'A': (5, 1)}, {'A': (5, 1), 'B': (6, 2)})
    >>> print(scheme.after(heard | {"B": (6, 2)}, 2, Ending(6, 0)))
    None
    """

    letters: str

    @classmethod
    def read(cls, text: str) -> Scheme:
        """Return the scheme of a text; white space makes no difference."""
        return cls("".join(text.split()).upper())

    @property
    def start(self) -> Heard:
        """What is remembered before the first line: nothing."""
        return {}

    @property
    def most(self) -> int:
        """How many lines the letter has that occurs most often."""
        return max(map(self.letters.count, self.letters))

    def is_free(self, line: int) -> bool:
        """Return whether no other line has the letter of ``line``, counted from 0."""
        return self.letters.count(self.letters[line]) == 1

    def recurs(self, line: int) -> bool:
        """Return whether a later line has the letter of ``line``."""
        return self.letters[line] in self.letters[line + 1 :]

    def after(self, heard: Heard, line: int, ending: Ending | None, *, repeat: bool = False) -> Heard | None:
        """Return what is remembered after ``line`` ends so, in the order of the alphabet; None if it does not rhyme.

        Letters that are open at the same time, as A and B of ABAB are, have different sounds. ``repeat``: a word
        rhymes with itself.
        """
        letter = self.letters[line]
        if self.is_free(line):
            return heard
        if ending is None:
            return None
        if letter not in heard and any(sound == ending.sound for sound, _ in heard.values()):
            return None
        sound, used = heard.get(letter, (ending.sound, 0))
        if sound != ending.sound or (used >> ending.word & 1 and not repeat):
            return None
        found = {each: value for each, value in heard.items() if each != letter}
        if self.recurs(line):
            found[letter] = sound, used | 1 << ending.word
        return dict(sorted(found.items()))
