"""Which kind of token suits a corpus, words, subwords or characters, by a look at its first documents."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from statistics import median
from typing import NamedTuple

from genrun_core.recipes.recipe import KIND, Recipe, load_recipe
from genrun_core.recipes.recipe_file import recipe_names

__all__ = ["KindChoice", "choose_kind", "with_kind"]

_LOOKED_AT = 2_000  # documents
# Chinese and Japanese; Thai, Lao, Myanmar and Khmer.
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
_OF_CODE = re.compile(r"[{}()\[\];=<>_\\]")
_MANY_UNSPACED = 0.3  # of the letters
_MANY_OF_CODE = 0.08  # of the characters that are no white space
_SHORT = 30  # characters of a name, at most
_OF_NAME = 3  # words of a name, at most, where most words occur once
_MANY_ONCE = 0.5  # of the words
_ENOUGH = 100  # documents: of fewer, most words of any text occur once
_RECIPES = {"char": "characters", "bpe": "subwords"}


class KindChoice(NamedTuple):
    """A kind of tokenizer, and why: a line for the user, empty for words."""

    kind: str
    reason: str


def choose_kind(documents: Iterable[str]) -> KindChoice:
    """Return the kind of token for a corpus that begins with ``documents``; some of them are looked at.

    >>> choose_kind(["Ada", "Grace", "Mary Ann"]).kind, choose_kind(["今天我们在公园里看书。"]).kind
    ('char', 'bpe')
    >>> choose_kind(f"Ada{n} Love{n}" for n in range(100)).kind, choose_kind(f"Ada{n} sings" for n in range(100)).kind
    ('char', 'word')
    """
    seen = [document for document in islice(documents, _LOOKED_AT) if document.strip()]
    text = "\n".join(seen)
    letters = sum(map(str.isalpha, text))
    if letters and len(_UNSPACED.findall(text)) > _MANY_UNSPACED * letters:
        return KindChoice("bpe", "most of the text has no spaces between words: tokens are subwords")
    if len(_OF_CODE.findall(text)) > _MANY_OF_CODE * sum(not character.isspace() for character in text):
        return KindChoice("bpe", "the text has many marks, as source code has: tokens are subwords, spaces are kept")
    if seen and max(map(len, seen)) <= 2 * _SHORT:
        words = median(len(document.split()) for document in seen)
        if words <= 1.5:
            return KindChoice("char", "the documents are names or single words: tokens are characters")
        if words <= _OF_NAME and len(seen) >= _ENOUGH and _once(text.split()) > _MANY_ONCE:
            return KindChoice("char", "the documents are short, and most words occur once: tokens are characters")
    return KindChoice("word", "")


def _once(words: Sequence[str]) -> float:
    """Return the share of ``words`` that occur once."""
    return list(Counter(words).values()).count(1) / len(words)


def with_kind(recipe: Recipe, choice: KindChoice) -> Recipe:
    """Return ``recipe`` with tokenizer, description, decoder and casing of the recipe for this kind."""
    recipe = dataclasses.replace(recipe, adapt=tuple(name for name in recipe.adapt if name != KIND))
    if choice.kind == "word":
        return recipe
    other = load_recipe(_RECIPES[choice.kind])
    own = load_recipe(recipe.name) if recipe.name in recipe_names() else recipe
    return dataclasses.replace(
        recipe,
        description=other.description,
        tokenizer=other.tokenizer,
        decoder=other.decoder if recipe.decoder == own.decoder else recipe.decoder,  # what was given stays
        generation=other.generation if recipe.generation == own.generation else recipe.generation,
    )
