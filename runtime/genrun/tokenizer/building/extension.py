"""A tokenizer with further tokens: words, for fine-tuning, or labels."""

from __future__ import annotations

from genrun.errors import OptionError
from genrun.tokenizer import json_form
from genrun.tokenizer.labels import Labels
from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["extended", "with_labels"]


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
    known, labels = frozenset(tokenizer.vocabulary), other.labels.tokens
    new = [token for token, word in enumerate(other.vocabulary) if word not in known and token not in labels][:count]
    vocabulary = [*tokenizer.vocabulary, *(other.vocabulary[token] for token in new)]
    written = tokenizer.written.extended(len(tokenizer), other.written, new)
    return Tokenizer(**{**json_form.arguments(tokenizer), "vocabulary": vocabulary, "written": written})


def with_labels(tokenizer: Tokenizer, labels: Labels) -> Tokenizer:
    """Return ``tokenizer`` with the tokens of ``labels``, which begin where its vocabulary ends.

    >>> from genrun.tokenizer.labels import Label
    >>> words = Tokenizer(kind="word", vocabulary=["<start>", "sea"], specials=["start"])
    >>> with_labels(words, Labels([Label("author", ("Burns",))], 2)).encode_prompt("sea", {"author": "Burns"}).ids
    (3, 0, 1)
    """
    vocabulary = [*tokenizer.vocabulary, *labels.texts]
    return Tokenizer(**{**json_form.arguments(tokenizer), "vocabulary": vocabulary, "labels": labels})
