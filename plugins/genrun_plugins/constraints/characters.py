"""The constraint ``characters``: how many characters a text has."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Lexicon, Opening
from genrun.tokenizer.detokenizer import Detokenizer, title_case
from genrun_plugins.constraints._range import parse_range

__all__ = ["Characters"]


@dataclass(frozen=True, slots=True)
class Characters:
    """The text has ``count`` characters as it is printed: a number, or a range such as ``40-60``.

    Spaces, marks and line breaks count. Words whose length a capital letter at the beginning of a sentence would
    change are not used where sentences begin with one. Raises OptionError for what is no range.
    """

    count: str

    def __post_init__(self) -> None:
        parse_range(self.count)

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts with this many characters."""
        least, most = parse_range(self.count)
        if lexicon.tokenizer.kind == "bpe":
            raise OptionError("this needs a model whose tokens are words or characters; this one has subwords")
        last = least if most is None else most
        lengths = np.array([_length(lexicon, token) for token in range(len(lexicon))])  # -1: not known
        spacings, behaviours, kinds = _spacings(lexicon)
        pairs, classes = np.unique(np.column_stack([kinds, lengths]), axis=0, return_inverse=True)
        numbers = np.arange(last + 1)[:, None]  # of characters
        table = np.empty((len(spacings), last + 1, len(pairs)), np.int64)
        for state in range(len(spacings)):
            space, following = behaviours[state][:, pairs[:, 0]]  # [classes]
            counted = numbers + (space + pairs[:, 1])
            over = counted > last
            if most is None:
                counted, over = np.minimum(counted, last), np.zeros_like(over)
            table[state] = np.where(over | (pairs[:, 1] < 0), -1, following * (last + 1) + counted)

        def begin(opening: Opening) -> int:
            count = len(opening.text)
            if count > last and most is not None:
                return -1
            return spacings[opening.spacing] * (last + 1) + min(count, last)

        accepts = np.tile(np.arange(last + 1) >= least, len(spacings))
        return Automaton(classes.reshape(-1).astype(np.int64), table.reshape(len(accepts), -1), accepts, begin)


def _length(lexicon: Lexicon, token: int) -> int:
    """Return the number of characters of a token as it is printed; -1 if it depends on its place."""
    text, casing = lexicon.texts[token], lexicon.casing
    if casing == "corpus" and token < len(lexicon.tokenizer):
        text = lexicon.tokenizer.piece(token, casing)
    if casing == "upper":
        return len(text.upper())
    if casing == "title":
        capital = text if lexicon.tokenizer.kind == "word" else text.title()
        return len(title_case(text)) if len(capital) == len(text) else -1
    if casing in ("corpus", "sentence") and text and len(text[:1].title()) != 1:
        return -1
    return len(text)


def _spacings(lexicon: Lexicon) -> tuple[dict[Hashable, int], list[np.ndarray], np.ndarray]:
    """Return the states that decide about spaces, by their spacing; what tokens do in each; the kind of each token.

    For each state int64 ``[2, kinds]``: whether there is a space before the token, and the next state. The kinds are
    int64 ``[tokens]``.
    """
    names, examples = dict[Hashable, int](), list[str]()
    kinds = np.empty(len(lexicon), np.int64)
    for token, piece in enumerate(lexicon.pieces):
        plain = bool(lexicon.words[token])
        name = (piece[:1] == "\u2060", piece[-1:] == "\u2060") if plain else piece
        if name not in names:
            names[name] = len(examples)
            examples.append(piece)
        kinds[token] = names[name]
    first = lexicon.tokenizer.detokenizer("none")
    states, waiting, behaviours = {first.spacing: 0}, [first], list[np.ndarray]()
    for detokenizer in waiting:
        behaviour = np.empty((2, len(examples)), np.int64)
        for kind, piece in enumerate(examples):
            behaviour[:, kind] = _pushed(detokenizer, piece, states, waiting)
        behaviours.append(behaviour)
    return states, behaviours, kinds


def _pushed(
    detokenizer: Detokenizer, piece: str, states: dict[Hashable, int], waiting: list[Detokenizer]
) -> tuple[int, int]:
    following = copy.copy(detokenizer)
    space = len(following.push(piece)) - len(piece.replace("\u2060", ""))
    if following.spacing not in states:
        states[following.spacing] = len(waiting)
        waiting.append(following)
    return space, states[following.spacing]
