"""The constraint ``words``: how many words a text has."""

from __future__ import annotations

from dataclasses import dataclass

from genrun.sampling.automata import Automaton, Lexicon
from genrun_plugins.constraints._range import counting, parse_range

__all__ = ["Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """The text has ``count`` words: a number, or a range such as ``5-8``, ``5-`` or ``-8``.

    What has a letter or a digit is a word; ``'s`` and ``n't`` belong to the word before. Raises OptionError for what
    is no range.
    """

    count: str

    def __post_init__(self) -> None:
        parse_range(self.count)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts with this many words."""
        lexicon.need_words()
        return counting(lexicon.words, *parse_range(self.count))
