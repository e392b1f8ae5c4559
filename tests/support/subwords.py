"""Small tokenizers of subwords, made without the library that learns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genrun.tokenizer import Normalization, Tokenizer
from genrun.tokenizer.subwords.byte_letters import LETTERS, letters_of

__all__ = ["SPECIALS", "chain", "subwords"]

SPECIALS = ("pad", "start", "end")


def chain(*words: str) -> list[tuple[str, str]]:
    """Return merges that make every beginning of the ``words`` a token, those of the first word first."""
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        letters = letters_of(word.encode())
        for end in range(1, len(letters)):
            merges.setdefault((letters[:end], letters[end]))
    return list(merges)


def subwords(
    *merges: tuple[str, str],
    specials: Sequence[str] = SPECIALS,
    normalization: Sequence[Mapping[str, str]] = (),
) -> Tokenizer:
    """Return a tokenizer of all bytes and of what ``merges`` make of them."""
    learnt = dict.fromkeys([*LETTERS, *(left + right for left, right in merges)])
    return Tokenizer(
        kind="bpe",
        vocabulary=[*(f"<{name}>" for name in specials), *learnt],
        specials=specials,
        merges=merges,
        normalization=Normalization(normalization),
    )
