"""What a chain needs of its surroundings: the words of the model, and the states of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from genrun.checks.short_text import shown
from genrun.contracts import Decoder
from genrun.errors import OptionError
from genrun.generating.choosing.tokens import Tokens, TokensOfRows
from genrun.loading.originality import TrainingRuns
from genrun.sampling import Chain
from genrun.tokenizer import Tokenizer

__all__ = ["bound", "chosen"]


@overload
def bound(
    decoder: Chain, tokenizer: Tokenizer, end_ids: Sequence[int], training_runs: TrainingRuns | None = ...
) -> Chain: ...
@overload
def bound(
    decoder: Decoder, tokenizer: Tokenizer, end_ids: Sequence[int], training_runs: TrainingRuns | None = ...
) -> Decoder: ...
def bound(
    decoder: Decoder, tokenizer: Tokenizer, end_ids: Sequence[int], training_runs: TrainingRuns | None = None
) -> Decoder:
    """Return ``decoder`` for a model; ``end_ids`` are those that end a text.

    ``training_runs``: what the model file knows of its training text.

    Raises OptionError for a stage that does not fit the model, such as a banned word that it does not have.
    """
    return decoder.bind(_Words(tokenizer, tuple(end_ids), training_runs)) if isinstance(decoder, Chain) else decoder


def chosen(
    decoder: Decoder, logits: NDArray[np.float32], texts: Sequence[Tokens], draws: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return what ``decoder`` chooses; a chain is given the states of the ``texts``.

    ``logits``: float32 ``[batch, vocabulary]``; ``draws``: float32 ``[batch]``. Returns int64 ``[batch]``.
    """
    if not isinstance(decoder, Chain):
        return decoder.choose(logits, TokensOfRows(texts), draws)
    states = [text.states(decoder) for text in texts] if decoder.has_states else ()
    ids, adapted = decoder.step(logits, TokensOfRows(texts), states, draws)
    for text, token, state in zip(texts, ids, adapted, strict=True) if adapted is not None else ():
        text.adapt(decoder, int(token), state)
    return ids


class _Words:
    """What a stage may know of the words: the protocol :class:`~genrun.contracts.Vocabulary`."""

    def __init__(self, tokenizer: Tokenizer, end_ids: Sequence[int], training_runs: TrainingRuns | None) -> None:
        self._tokenizer, self.words = tokenizer, tokenizer.vocabulary
        self.end_ids, self.training_runs = end_ids, training_runs

    def encodings(self, phrase: str) -> Sequence[tuple[int, ...]]:
        """Return the ids of ``phrase``; of subwords, at the beginning of a text and after a space."""
        ways = (phrase, f" {phrase}") if self._tokenizer.kind == "bpe" else (phrase,)
        found = []
        for way in ways:
            encoding = self._tokenizer.encode(way)
            if encoding.unknown or not encoding.ids:
                missing = encoding.unknown[0] if encoding.unknown else phrase
                raise OptionError(f"{shown(missing)} is not in the model's vocabulary")
            found.append(tuple(encoding.ids))
        return tuple(dict.fromkeys(found))
