"""The constraint ``rhyme``: lines that rhyme by a scheme such as AABB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genrun.plugins import Automaton, Lexicon, Opening, OptionError, PromptError
from genrun_plugin_rhyme.automaton import Lines
from genrun_plugin_rhyme.scheme import Ending, Heard, Scheme
from genrun_plugin_rhyme.sounds import Endings

__all__ = ["Rhyme"]

_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Rhyme:
    """The text has as many lines as ``scheme`` has letters, and lines with the same letter rhyme: ``rhyme:AABB``.

    Words rhyme by the CMU Pronouncing Dictionary: all is the same from the last stressed vowel on, of the first
    pronunciation. A word rhymes neither with itself nor with one that sounds the same, unless ``repeat`` is set.
    Words that the dictionary does not have rhyme with none. A letter that occurs once is a line that ends as it
    likes. Letters that are open at the same time, as A and B of ABAB are, have different sounds. Spaces in ``scheme``
    make no difference; lines without a word are not counted.

    ``sounds``: how many sounds a text may choose its rhymes from, the commonest ones; 0 means as many as are
    practical. That is fewer the more letters are open at the same time. Those of a prompt are always among them.
    Of each sound, the commonest words are told apart, as many as a letter has lines; of all others, a text uses at
    most one for a letter.
    Raises OptionError for a scheme that is none, and for a model without line breaks.
    """

    scheme: str
    repeat: bool = False
    sounds: int = 0

    def __post_init__(self) -> None:
        letters = Scheme.read(self.scheme).letters
        if not letters.isalpha() or len(letters) > _MOST_LINES:
            raise OptionError(f"scheme must be 2 to {_MOST_LINES} letters, such as AABB, not {self.scheme!r}")
        if len(set(letters)) == len(letters):
            raise OptionError(f"no letter of the scheme {self.scheme!r} occurs twice, so no lines rhyme")
        if self.sounds < 0:
            raise OptionError(f"sounds must be 0 or more, not {self.sounds}")

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that rhyme."""
        return self.automaton_after(lexicon, Opening((), "", None))

    def automaton_after(self, lexicon: Lexicon, opening: Opening) -> Automaton:
        """Return the texts that rhyme and begin with ``opening``.

        Raises PromptError if its lines do not rhyme, or nothing rhymes with one.
        """
        lexicon.need_breaks()
        scheme = Scheme.read(self.scheme)
        endings = Endings(lexicon, 1 if self.repeat else scheme.most + 1)
        finished, rest = _lines(lexicon, opening)
        if len(finished) >= len(scheme.letters):
            raise PromptError(f"it goes on behind the last line of {self.scheme!r}")
        heard = scheme.start
        for line, token in enumerate(finished):
            ending = endings.of(token)
            following = scheme.after(heard, line, ending, repeat=self.repeat)
            if following is None:
                raise PromptError(_why(scheme, line, [lexicon.texts[each] for each in finished], ending))
            heard = following
        self._check_rhymes(scheme, heard, lexicon, endings, finished)
        kept = {ending.sound for token in rest if (ending := endings.of(token)) is not None}
        kept |= {sound for sound, _ in heard.values()}
        found = Lines(scheme, lexicon, endings, repeat=self.repeat)
        return found.automaton(len(finished), heard, rest, kept, self.sounds)

    def _check_rhymes(
        self, scheme: Scheme, heard: Heard, lexicon: Lexicon, endings: Endings, finished: Sequence[int]
    ) -> None:
        """Raise PromptError if no word of the model rhymes with a line of the prompt."""
        for letter, (sound, used) in heard.items():
            for ending, tokens in endings.tokens({sound}).items():
                if lexicon.usable[tokens].any() and (self.repeat or not used >> ending.word & 1):
                    break
            else:
                line = scheme.letters.index(letter)
                word = lexicon.texts[finished[line]]
                raise PromptError(f"no word of the model rhymes with {word!r}, with which line {line + 1} ends")


def _lines(lexicon: Lexicon, opening: Opening) -> tuple[list[int], list[int]]:
    """Return the last word of each finished line, and the tokens of the line that is not, if it has a word."""
    finished, line = list[int](), list[int]()
    for token in opening.tokens:
        if not lexicon.breaks[token]:
            line.append(token)
        elif spoken := [each for each in line if not lexicon.marks[each]]:
            finished.append(spoken[-1])
            line = []
    return finished, line if any(not lexicon.marks[each] for each in line) else []


def _why(scheme: Scheme, line: int, words: list[str], ending: Ending | None) -> str:
    """Return why a line of the prompt does not rhyme."""
    place = f"line {line + 1} ends with {words[line]!r}"
    if ending is None:
        return f"{place}, which rhymes with no word: the dictionary does not have it"
    earlier = scheme.letters.index(scheme.letters[line])
    if earlier == line:
        return f"{place}, which rhymes with a line of another letter"
    return f"{place}, which does not rhyme with {words[earlier]!r} of line {earlier + 1}"
