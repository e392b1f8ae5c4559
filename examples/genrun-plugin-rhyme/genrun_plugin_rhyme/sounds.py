"""How the words of a model end, by the dictionary of the package ``pronouncing``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from genrun.plugins import Lexicon
from genrun_plugin_rhyme.scheme import Ending

__all__ = ["Endings", "phones_of"]

_RANK_SHIFT = 5  # the frequency of a word falls about as one over its place in the vocabulary, and this


class Endings:
    """How the words of ``lexicon`` end.

    ``distinguished``: how many of the words of a sound are told apart, the commonest ones and the others together,
    which have the last number. Words that sound the same have the same number.
    """

    def __init__(self, lexicon: Lexicon, distinguished: int) -> None:
        sounds, words = dict[str, int](), list[dict[str, int]]()
        self._found: dict[int, Ending] = {}
        weights = list[defaultdict[int, float]]()
        for token in lexicon.words.nonzero()[0].tolist():  # the commonest first
            phones = phones_of(lexicon.texts[token])
            if phones is None:
                continue
            sound = sounds.setdefault(_rhyming_part(phones), len(sounds))
            if sound == len(words):
                words.append({})
                weights.append(defaultdict(float))
            word = min(words[sound].setdefault(phones, len(words[sound])), distinguished - 1)
            self._found[token] = Ending(sound, word)
            if lexicon.usable[token]:
                weights[sound][word] += 1 / (token + _RANK_SHIFT)
        self._shares = [_pair_share(list(each.values()), distinguished == 1) for each in weights]

    def of(self, token: int) -> Ending | None:
        """Return how a token ends; None for a mark, and for a word that the dictionary does not have."""
        return self._found.get(token)

    def tokens(self, sounds: Collection[int]) -> dict[Ending, list[int]]:
        """Return the tokens of each ending with one of ``sounds``."""
        found = defaultdict[Ending, list[int]](list)
        for token, ending in self._found.items():
            if ending.sound in sounds:
                found[ending].append(token)
        return dict(found)

    def commonest(self) -> list[int]:
        """Return the sounds that two words have, those first that two words drawn at random have most often."""
        order = sorted(range(len(self._shares)), key=lambda sound: -self._shares[sound])
        return [sound for sound in order if self._shares[sound] > 0]


def _pair_share(weights: list[float], repeat: bool) -> float:
    """Return how likely two words drawn at random are both of a sound, and different ones unless ``repeat``."""
    return sum(weights) ** 2 - (0.0 if repeat else sum(weight**2 for weight in weights))


def phones_of(word: str) -> str | None:
    """Return the first pronunciation of a word as the dictionary writes it; None if it does not have it."""
    import pronouncing

    start, end = 0, len(word)
    while start < end and not word[start].isalnum():
        start += 1
    while end > start and not word[end - 1].isalnum():
        end -= 1
    found: list[str] = pronouncing.phones_for_word(word[start:end].replace("’", "'").casefold())
    return found[0] if found else None


def _rhyming_part(phones: str) -> str:
    import pronouncing

    return str(pronouncing.rhyming_part(phones))
