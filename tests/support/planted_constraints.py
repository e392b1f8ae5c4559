"""Parts of constraints with one mistake each, and the words of the message that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrun.plugins import Automaton, Lexicon, Opening

__all__ = ["MISTAKES", "Anything"]


@dataclass(frozen=True)
class Anything:
    """Every text meets it; the others differ from it in one thing."""

    def automaton(self, lexicon: Lexicon) -> Automaton:
        return Automaton(np.zeros(len(lexicon), np.int64), np.zeros((1, 1), np.int64), np.array([True]))


class NoAutomaton(Anything):
    def automaton(self, lexicon: Lexicon) -> Any:
        return [0]


class ForgetsUnknownWords(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        classes = np.zeros(len(lexicon.tokenizer), np.int64)
        return Automaton(classes, np.zeros((1, 1), np.int64), np.array([True]))


class LeadsNowhere(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        return Automaton(np.zeros(len(lexicon), np.int64), np.full((1, 1), 5), np.array([True]))


class ClassWithoutColumn(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        return Automaton(np.arange(len(lexicon)), np.zeros((1, 1), np.int64), np.array([True]))


class FloatTable(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        table: Any = np.zeros((1, 1))
        return Automaton(np.zeros(len(lexicon), np.int64), table, np.array([True]))


class NeverMet(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        table = np.array([[0], [1]])
        return Automaton(np.zeros(len(lexicon), np.int64), table, np.array([False, True]))


class ByChance(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        classes = np.random.default_rng().integers(0, 2, len(lexicon))
        return Automaton(classes, np.zeros((1, 2), np.int64), np.array([True]))


class BeginsOutside(Anything):
    def automaton(self, lexicon: Lexicon) -> Automaton:
        begin: Callable[[Opening], int] = lambda opening: 7  # noqa: E731
        return Automaton(np.zeros(len(lexicon), np.int64), np.zeros((1, 1), np.int64), np.array([True]), begin)


@dataclass(frozen=True)
class NeedsAnotherWord:
    word: str = "zebra"

    def automaton(self, lexicon: Lexicon) -> Automaton:
        lexicon.phrase(self.word)
        return Anything().automaton(lexicon)


MISTAKES: list[tuple[object, str]] = [
    (NoAutomaton(), "must return an Automaton, not list"),
    (ForgetsUnknownWords(), r"classes must have an entry for each of \d+ tokens of the lexicon, not \d+"),
    (LeadsNowhere(), "the table leads to a state outside -1 … 0"),
    (ClassWithoutColumn(), "a class is outside 0 … 0, the columns of the table"),
    (FloatTable(), r"table must be an array int64 \[states, classes\]"),
    (NeverMet(), "no text of the tiny model meets it"),
    (ByChance(), "returns another automaton when called again"),
    (BeginsOutside(), r"begin\(\) returns the state 7, outside -1 … 0"),
    (
        NeedsAnotherWord(),
        "the tiny model does not fit its options, choose others: 'zebra' is not in the model's vocab",
    ),
]
