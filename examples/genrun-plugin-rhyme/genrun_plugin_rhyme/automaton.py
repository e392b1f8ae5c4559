"""The automaton of texts whose lines rhyme: a block of states for each line and what is remembered before it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.plugins import Automaton, Lexicon, Opening, OptionError
from genrun_plugin_rhyme.scheme import Ending, Heard, Scheme
from genrun_plugin_rhyme.sounds import Endings

__all__ = ["Lines"]

_MARK, _OTHER, _BREAK, _FIRST = range(4)  # classes of tokens; those of endings come last
_BEFORE, _WITHIN, _ENDED = range(3)  # states of a block: no word yet, no rhyme, and those in which the line may end
_MOST_TRANSITIONS = 1_500_000
_Key = tuple[int, tuple[tuple[str, tuple[int, int]], ...]]  # a line, and what is remembered


class Lines:
    """Makes the automaton of a scheme for the words of a lexicon."""

    def __init__(self, scheme: Scheme, lexicon: Lexicon, endings: Endings, *, repeat: bool) -> None:
        self._scheme, self._lexicon, self._source, self._repeat = scheme, lexicon, endings, repeat
        self._endings: list[Ending] = []  # by the number of their class, from _FIRST

    def automaton(self, line: int, heard: Heard, rest: Sequence[int], kept: Collection[int], count: int) -> Automaton:
        """Return the automaton of texts that go on in ``line`` with the tokens ``rest``; ``heard`` is before it.

        ``kept``: sounds that are needed. ``count``: how many others there may be; 0 for as many as are practical.
        Raises OptionError if there is no rhyme at all, or too many.
        """
        sounds = self._chosen(line, heard, kept, count)
        classes = self._classes(sounds)
        table, accepts = self._blocks((line, tuple(heard.items())))

        def begin(opening: Opening) -> int:
            state = 0
            for token in rest:
                state = int(table[state, classes[token]])
            return state

        return Automaton(classes, table, accepts, begin)

    def _chosen(self, line: int, heard: Heard, kept: Collection[int], count: int) -> set[int]:
        """Return the sounds that the automaton knows."""
        open_lines = [each for each in range(line, len(self._scheme.letters)) if not self._scheme.is_free(each)]
        common = self._source.commonest()
        others = [sound for sound in common if sound not in kept]
        if not common and any(self._scheme.letters[each] not in heard for each in open_lines):
            raise OptionError("no two words of the model rhyme, by the dictionary")
        if count:
            return {*kept, *others[:count]}
        words = max((ending.word for ending in self._source.tokens({*kept, *others})), default=0) + 1
        low, high = 0, len(others)  # the most that fit
        while low < high:
            middle = (low + high + 1) // 2
            fits = self._size(line, heard, middle + len(kept), words) <= _MOST_TRANSITIONS
            low, high = (middle, high) if fits else (low, middle - 1)
        return {*kept, *others[: max(low, 2)]}

    def _size(self, line: int, heard: Heard, sounds: int, words: int) -> int:
        """Return at most how many transitions the automaton of these numbers of sounds and words has."""
        states = 0
        known = dict.fromkeys(heard, 1)  # how many memories of each open letter there are
        for number in range(line, len(self._scheme.letters)):
            letter = self._scheme.letters[number]
            blocks = math.prod(known.values())
            if self._scheme.is_free(number):
                states += 2 * blocks
                continue
            states += blocks * (2 + (words if letter in known else sounds * words))
            known.pop(letter, None)
            if self._scheme.recurs(number):
                used = self._scheme.letters[: number + 1].count(letter)
                known[letter] = (1 if letter in heard else sounds) * math.comb(words, min(used, words // 2))
        return states * (_FIRST + sounds * words)

    def _classes(self, sounds: set[int]) -> NDArray[np.int64]:
        found = np.full(len(self._lexicon), _OTHER)
        found[self._lexicon.marks], found[self._lexicon.breaks] = _MARK, _BREAK
        by_ending = self._source.tokens(sounds)
        self._endings = sorted(by_ending)
        for number, ending in enumerate(self._endings, _FIRST):
            found[by_ending[ending]] = number
        return found

    def _blocks(self, start: _Key) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the table and the accepting states of all blocks from ``start``, which comes first."""
        bases, waiting, total = {start: 0}, [start], 0
        tables, accepts = list[NDArray[np.int64]](), list[NDArray[np.bool_]]()
        made = [self._words(start)]
        total = len(made[0][1]) + _ENDED
        for number, (line, _) in enumerate(waiting):
            row, following = made[number]
            base, last = bases[waiting[number]], line + 1 == len(self._scheme.letters)
            block = np.tile(np.append(np.full(_FIRST, base + _WITHIN), base + row), (len(following) + _ENDED, 1))
            block[:, _MARK] = base + np.arange(len(block))
            block[:, _BREAK] = -1
            block[_BEFORE, _BREAK] = base
            if self._scheme.is_free(line):
                block[_BEFORE:, _OTHER:_BREAK] = base + _ENDED
            for place, heard in enumerate(following, _ENDED):
                if last:
                    continue
                key = line + 1, tuple(heard.items())
                if key not in bases:
                    bases[key] = total
                    waiting.append(key)
                    made.append(self._words(key))
                    total += len(made[-1][1]) + _ENDED
                block[place, _BREAK] = bases[key]
            tables.append(block)
            accepts.append((np.arange(len(block)) >= _ENDED) & last)
            if total * (len(self._endings) + _FIRST) > 4 * _MOST_TRANSITIONS:
                raise OptionError("there are too many rhymes at the same time; give fewer sounds (sounds=10)")
        return np.concatenate(tables), np.concatenate(accepts)

    def _words(self, key: _Key) -> tuple[NDArray[np.int64], list[Heard]]:
        """Return the state of the block after each ending, ``[endings]``, and what is heard after each end of it."""
        line, remembered = key
        heard = dict(remembered)
        if self._scheme.is_free(line):
            return np.full(len(self._endings), _ENDED), [heard]
        row, following = np.full(len(self._endings), _WITHIN), list[Heard]()
        numbers = dict[tuple[tuple[str, tuple[int, int]], ...], int]()
        sound = heard[self._scheme.letters[line]][0] if self._scheme.letters[line] in heard else None
        for number, ending in enumerate(self._endings):
            if sound is not None and sound != ending.sound:
                continue
            after = self._scheme.after(heard, line, ending, repeat=self._repeat)
            if after is None:
                continue
            name = tuple(after.items())
            if name not in numbers:
                numbers[name] = len(following) + _ENDED
                following.append(after)
            row[number] = numbers[name]
        return row, following
