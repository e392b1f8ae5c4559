"""The prompts of the gates and of the golden texts: beginnings of documents of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrun.errors import ExportError
from genrun.tokenizer import Tokenizer
from genrun_core.runs.token_shards import TokenShards

__all__ = ["Prompt", "choose_prompts"]

PROMPTS = 32
_LONGEST_PROMPT = 12
_LONGEST_DOCUMENT = 64
_TRIES = 50 * PROMPTS


@dataclass(frozen=True, slots=True)
class Prompt:
    """The beginning of a document of the corpus, as text and as the ids that the tokenizer makes of it.

    ``document`` has the ids of the whole document, cut at _LONGEST_DOCUMENT.
    """

    text: str
    ids: tuple[int, ...]
    document: tuple[int, ...]


def choose_prompts(tokenizer: Tokenizer, shards: TokenShards) -> list[Prompt]:
    """Return PROMPTS beginnings of documents, of mixed length, that survive the way through text and back.

    A corpus with fewer beginnings gives some of them more than once.
    """
    found: dict[str, Prompt] = {}
    tokens_before = tokenizer.labels.ids()  # golden texts have no labels
    documents = np.random.default_rng(0).permutation(len(shards))
    for number in range(_TRIES):
        document = (*tokens_before, *shards[int(documents[number % len(documents)])][:_LONGEST_DOCUMENT].tolist())
        length = len(tokens_before) + 1 + (number + number // len(documents)) % _LONGEST_PROMPT
        ids = document[: min(length, max(len(tokens_before) + 1, len(document) - 1))]
        text = _as_text(tokenizer, ids)
        if text is not None:
            found.setdefault(text, Prompt(text, ids, document))
        if len(found) == PROMPTS:
            break
    if not found:
        raise ExportError("no document of the corpus begins with words that can be used as a prompt")
    return (list(found.values()) * PROMPTS)[:PROMPTS]


def _as_text(tokenizer: Tokenizer, ids: tuple[int, ...]) -> str | None:
    """Return a text that the tokenizer turns into ``ids``, None if there is none."""
    if tokenizer.subwords is not None or tokenizer.normalization.opening_marks is not None:
        text = tokenizer.decode(ids)
    else:
        words = [
            tokenizer.vocabulary[i] for i in ids if i >= len(tokenizer.specials) and i not in tokenizer.labels.tokens
        ]
        text = (" " if tokenizer.kind == "word" else "").join(words)
    if not tokenizer.encode(text).ids and tokenizer.special("start") is None:
        return None
    return text if tokenizer.encode_prompt(text).ids == ids else None
