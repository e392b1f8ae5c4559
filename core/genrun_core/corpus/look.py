"""A look at a corpus before anything is learnt from it: how much there is, what it is like, and some examples."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from genrun.checks.short_text import shorten
from genrun.contracts import Reader
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.subwords.byte_letters import bytes_of
from genrun_core.corpus.kind import choose_kind, with_kind
from genrun_core.corpus.reading import read_documents
from genrun_core.corpus.shape import fit_shape
from genrun_core.corpus.subwords import learn_merges
from genrun_core.recipes.recipe import KIND, Recipe

__all__ = ["UNITS", "Look", "look_at"]

_LOOKED_AT = 2_000  # documents, besides counting them
_EXAMPLES = 3
_LONGEST = 60  # characters of an example
_LETTERS = 0.6  # of the characters that are no white space, in a text of a language
_LITTLE = 2_000  # words
_LITTLE_OF_NAMES = 2_000  # characters besides white space
_OFTEN = 0.02  # of the documents, that are one and the same
_ALL_DIFFERENT = 0.8  # of the words
_DOT = "\u00b7"
_ATTACHED = "\u2060"  # on the side of a mark that has no space
UNITS = {"char": "characters", "bpe": "subwords", "word": "words"}


@dataclass(frozen=True, slots=True)
class Look:
    """What a corpus is like.

    ``documents`` and ``words`` between white space are counted in all of it, ``median`` is the words in a document.
    ``kind``: word, bpe or char, the tokens; ``reason``: why, empty for words. ``impression``: whether it reads like
    language, empty for names; ``examples``: beginnings of documents, their tokens separated by spaces; ``note``:
    which document is there too often, or empty.
    """

    documents: int
    words: int
    median: int
    kind: str
    reason: str
    impression: str
    examples: tuple[str, ...]
    note: str = ""

    def lines(self, noun: str = "documents") -> Iterator[str]:
        """Yield three lines for a user, and the note if there is one; ``noun`` names the documents."""
        of_one = f", {self.median:,} in one of them (median)" if self.documents > 1 else ""
        yield f"{self.documents:,} {noun}, {self.words:,} words{of_one}"
        yield "; ".join(filter(None, (self.impression, self.reason or f"tokens are {UNITS[self.kind]}")))
        yield f"as the model sees them: {' | '.join(self.examples)}"
        if self.note:
            yield self.note


def look_at(recipe: Recipe, reader: Reader, sources: Sequence[str]) -> Look:
    """Read a corpus once and return what it is like for ``recipe``, with all that the recipe leaves open.

    Raises what reading raises.
    """
    recipe, reader = fit_shape(recipe, reader, sources, lambda line: None)
    documents = read_documents(reader, sources)
    seen = list(islice(documents, _LOOKED_AT))
    reason = ""
    if KIND in recipe.adapt:
        choice = choose_kind(seen)
        recipe, reason = with_kind(recipe, choice), choice.reason
    lengths = [len(document.split()) for document in seen]
    middle, count, words = int(median(lengths or [0])), len(seen), sum(lengths)
    for document in documents:
        count += 1
        words += len(document.split())
    examples = _examples(recipe.tokenizer, seen)
    kind = recipe.tokenizer.kind
    note = _often(seen) if hasattr(reader, "drop_pattern") else ""
    return Look(count, words, middle, kind, reason, _impression(seen, words, kind), examples, note)


def _often(seen: Sequence[str]) -> str:
    """Return a note about the most frequent document, if many are the same; else the empty text.

    >>> _often(["Unknown"] * 5 + [f"{n} boats" for n in range(95)])
    "note: 5.0% of the documents are 'Unknown': --set drop_pattern='^Unknown$' leaves them out"
    >>> _often(["Unknown", "two boats"])
    ''
    """
    document, count = Counter(seen).most_common(1)[0] if seen else ("", 0)
    if count <= max(_OFTEN * len(seen), 3) or "\n" in document or len(document) > _LONGEST:  # too long for a line
        return ""
    pattern = re.escape(document).replace(r"\ ", " ")
    dropping = f"drop_pattern={shlex.quote(f'^{pattern}$')}"
    return f"note: {count / len(seen):.1%} of the documents are {document!r}: --set {dropping} leaves them out"


def _impression(seen: Sequence[str], words: int, kind: str) -> str:
    """Return whether documents read like language, and what stands against it; of names, only whether they are few.

    >>> _impression(["12,5;17,0"] * 900, 900, "word")
    'most of it is numbers and marks, not language'
    """
    text = "".join("".join(document.split()) for document in seen)
    letters = sum(character.isalpha() for character in text)
    found = [word for document in seen for word in document.split()]
    if letters < _LETTERS * len(text):
        return "most of it is numbers and marks, not language"
    if kind == "char":
        return f"they are few: {len(text):,} characters" if len(text) < _LITTLE_OF_NAMES else ""
    if words < _LITTLE:
        return f"it is little text: from {words:,} words a model learns to repeat more than to write"
    if len(set(found)) > _ALL_DIFFERENT * len(found):
        return "nearly every word occurs only once"
    return "it reads like language"


def _examples(settings: TokenizerSettings, seen: Sequence[str]) -> tuple[str, ...]:
    """Return beginnings of some documents as tokens, by a tokenizer of the words of all documents that were seen."""
    chosen = [document for document in seen[:: max(len(seen) // _EXAMPLES, 1)] if document.strip()][:_EXAMPLES]
    if not chosen:
        return ()
    with VocabularyBuilder(settings, learn=learn_merges) as builder:
        for document in seen:
            builder.add(document)
        tokenizer = builder.build()
    specials = len(tokenizer.specials)
    found = ([i for i in tokenizer.encode_document(document).ids if i >= specials] for document in chosen)
    return tuple(shorten(_in_tokens(tokenizer, ids), _LONGEST) for ids in found)


def _in_tokens(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Return words or characters with spaces between them; subwords as words, with a dot between the parts of one."""
    written = [tokenizer.vocabulary[i] for i in ids]
    if tokenizer.kind != "bpe":
        return " ".join(written).replace(_ATTACHED, "")
    texts = [bytes_of(letters).decode(errors="replace") for letters in written]
    return "".join(text if text[:1].isspace() else f"{_DOT}{text}" for text in texts).strip(f" {_DOT}")
