"""A tokenizer with further words, for fine-tuning."""

from __future__ import annotations

from genrun.errors import OptionError
from genrun.tokenizer import json_form
from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["extended"]


def extended(tokenizer: Tokenizer, other: Tokenizer, count: int) -> Tokenizer:
    """Return ``tokenizer`` with up to ``count`` further words: the first ones of ``other`` that it lacks.

    >>> ours, theirs = (
    ...     Tokenizer(kind="word", vocabulary=words, specials=[]) for words in (["a", "b"], ["c", "b", "d"])
    ... )
    >>> extended(ours, theirs, 1).vocabulary
    ('a', 'b', 'c')

    Raises OptionError for subwords, which know every word.
    """
    if tokenizer.kind == "bpe":
        if count:
            raise OptionError("subwords need no new words: extend_vocabulary is for words and characters")
        return tokenizer
    known = frozenset(tokenizer.vocabulary)
    new = [token for token, word in enumerate(other.vocabulary) if word not in known][:count]
    vocabulary = [*tokenizer.vocabulary, *(other.vocabulary[token] for token in new)]
    written = tokenizer.written.extended(len(tokenizer), other.written, new)
    return Tokenizer(**{**json_form.arguments(tokenizer), "vocabulary": vocabulary, "written": written})
