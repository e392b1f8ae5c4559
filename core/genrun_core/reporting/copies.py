"""How much of each text is copied from a training corpus: whole documents, and the longest run of words."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.words import Split

__all__ = ["Copies", "find_copies"]


@dataclass(frozen=True, slots=True)
class Copies:
    """What each text has in common with the training corpus.

    ``is_document``: bool, [texts], whether its words are those of a whole training document; never for a text without
    words. ``longest_run``: int64, [texts], the length in words of its longest run that a training document contains.
    """

    is_document: NDArray[np.bool_]
    longest_run: NDArray[np.int64]


def find_copies(texts: Sequence[str], training: Iterable[str], split: Split = words_of) -> Copies:
    """Find what ``texts`` copy from the documents of ``training``, which are read once.

    ``split`` gives the words of a text, or what stands for them. Memory holds four bytes for each word of
    ``training``; time is in proportion to both and to the longest run.

    >>> copies = find_copies(["The cat sat.", "a cat sat on a mat", "dogs"], ["the cat sat", "On a mat, a cat sat"])
    >>> copies.is_document.tolist(), copies.longest_run.tolist()
    ([True, False, False], [3, 3, 0])
    """
    written = [split(text) for text in texts]
    vocabulary: dict[str, int] = {}
    ids = array("i")
    for words in written:
        ids.extend(vocabulary.setdefault(word, len(vocabulary)) for word in words)
        ids.append(-1)
    wanted = {" ".join(words) for words in written}
    found: set[str] = set()
    corpus = array("i")
    for document in training:
        words = split(document)
        corpus.extend(vocabulary.get(word, -1) for word in words)
        corpus.append(-1)
        whole = " ".join(words)
        if whole in wanted:
            found.add(whole)
    lengths = np.array([len(words) + 1 for words in written], np.int64)
    owner = np.repeat(np.arange(len(texts)), lengths)
    runs = _longest_runs(np.array(ids, np.int64), owner, np.array(corpus, np.int64), len(texts))
    return Copies(np.array([bool(words) and " ".join(words) in found for words in written], np.bool_), runs)


def _longest_runs(
    ids: NDArray[np.int64], owner: NDArray[np.int64], corpus: NDArray[np.int64], texts: int
) -> NDArray[np.int64]:
    """Return the longest common run of each text with ``corpus``.

    ``ids``, [words]: all texts, each with -1 behind it; ``owner``: the text of each id. ``corpus``: the same of the
    documents, with -1 also for words of no text. The runs grow by a word at a time. Those of one length have names, 0
    to the number of different ones, so a longer run is a pair: the name of the shorter one, and the word behind it.
    Only places whose run is on both sides are kept, which soon are few.
    """
    longest = np.zeros(texts, np.int64)
    size = int(ids.max(initial=0)) + 1
    ours, theirs = np.arange(len(ids)), np.arange(len(corpus))  # where a run begins
    our_names, their_names = np.zeros_like(ours), np.zeros_like(theirs)
    length = 0
    while True:
        ours, our_keys = _extended(ours, our_names, ids, length, size)
        theirs, their_keys = _extended(theirs, their_names, corpus, length, size)
        if not len(ours) or not len(theirs):
            return longest
        names, our_names = np.unique(our_keys, return_inverse=True)
        their_names = np.minimum(np.searchsorted(names, their_keys), len(names) - 1)
        both = names[their_names] == their_keys
        theirs, their_names = theirs[both], their_names[both]
        is_common = np.zeros(len(names), np.bool_)
        is_common[their_names] = True
        kept = is_common[our_names]
        ours, our_names = ours[kept], our_names[kept]
        length += 1
        longest[owner[ours]] = length


def _extended(
    places: NDArray[np.int64], names: NDArray[np.int64], ids: NDArray[np.int64], length: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places whose run goes on for a word, and a key for each longer run.

    A run never goes past a -1, so every place plus ``length`` is a place: the -1 behind its text at the latest.
    """
    following = ids[places + length]
    goes_on = following >= 0
    return places[goes_on], names[goes_on] * size + following[goes_on]
