"""Prompts that are given as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrun.checks.arguments import whole_number
from genrun.checks.short_text import shown
from genrun.errors import PromptError
from genrun.tokenizer.encoding import Encoding

if TYPE_CHECKING:
    from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["encoding_of_ids"]


def encoding_of_ids(tokenizer: Tokenizer, ids: Sequence[int]) -> Encoding:
    """Return the encoding that has exactly ``ids``: a text with the same ids has the same continuation.

    The ids are all that the model is given: ``<start>`` is among them if it is wanted. Nothing of them is open, as
    the last word of a text in subwords is. Raises PromptError for no ids, and for ids outside the vocabulary.
    """
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Sequence):
        raise PromptError(f"the ids of a prompt must be a list of whole numbers, not {shown(ids)}")
    numbers = []
    for token in ids:
        number = whole_number(token)
        if number is None or not 0 <= number < len(tokenizer):
            raise PromptError(f"a prompt's token id must be from 0 to {len(tokenizer) - 1:,}, not {shown(token)}")
        numbers.append(number)
    if not numbers:
        raise PromptError("a prompt of ids must have at least one id")
    pieces = () if tokenizer.kind == "bpe" else tuple(filter(None, map(tokenizer.piece_to_join, numbers)))
    return Encoding(tuple(numbers), pieces, ())
