"""The tokenizer: normalization, splitting, a vocabulary with special tokens, and decoding to text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from genrun.checks.arguments import check_prompt, check_text
from genrun.checks.short_text import shorten, shown
from genrun.errors import OptionError, PromptError
from genrun.tokenizer.detokenizer import Detokenizer
from genrun.tokenizer.normalization import Normalization

__all__ = ["KINDS", "SPECIALS", "SPLITS", "Encoding", "Tokenizer", "WrittenForms"]

KINDS = ("word", "char")
SPLITS = {
    "space": " ",
    "whitespace": None,
}  # separators of words; a no-break space is white space, but not a space
SPECIALS = {"pad": "<pad>", "unk": "<unk>", "start": "<start>", "end": "<end>"}  # in the order of their ids
_FORMAT = 1
_WRITTEN: dict[str, Callable[[str], str]] = {
    ".": lambda word: word,
    "C": lambda word: word[:1].title() + word[1:],
    "U": str.upper,
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as token ids, with its pieces and unknown words.

    ``ids``: the token ids, special tokens included. ``pieces``: the normalized words (or characters) of the text,
    unknown ones too. ``unknown``: the words that are not in the vocabulary, in order.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenForms:
    """How the corpus writes its lower-cased words, for the casing ``corpus``.

    ``forms``: one letter for each vocabulary entry: ``.`` unchanged, ``C`` capitalized, ``U`` upper case, ``*``
    listed in ``others`` by id. ``capitalize_first``: documents begin with a capital letter.
    """

    forms: str = ""
    others: Mapping[int, str] | None = None
    capitalize_first: bool = False

    def write(self, token: int, word: str) -> str:
        """Return ``word``, with the id ``token``, as the corpus writes it."""
        form = self.forms[token] if token < len(self.forms) else "."
        if form == "*":
            return (self.others or {}).get(token, word)
        return _WRITTEN[form](word)

    def extended(self, size: int, other: WrittenForms, tokens: Sequence[int]) -> WrittenForms:
        """Return these forms for ``size`` entries, followed by the forms that ``other`` has for its ``tokens``."""
        padded = dict(enumerate(tokens, size))
        new = "".join(other.forms[token] if token < len(other.forms) else "." for token in tokens)
        others = {n: (other.others or {})[token] for n, token in padded.items() if token in (other.others or {})}
        forms = self.forms.ljust(size, ".") + new if self.forms or new.strip(".") else ""
        return WrittenForms(forms, {**(self.others or {}), **others}, self.capitalize_first)


class Tokenizer:
    """Turns text into token ids and back; immutable.

    ``vocabulary`` lists the tokens by id, the enabled ``specials`` first, in the order pad, unk, start, end.
    Raises OptionError if the arguments do not fit together.

    >>> tokenizer = Tokenizer(kind="word", vocabulary=["<pad>", "i", "love", "you"], specials=["pad"])
    >>> tokenizer.encode("i love her").ids, tokenizer.encode("i love her").unknown
    ((1, 2), ('her',))
    >>> tokenizer.decode([1, 2, 3])
    'i love you'
    """

    def __init__(
        self,
        *,
        kind: str,
        vocabulary: Sequence[str],
        specials: Iterable[str],
        normalization: Normalization | None = None,
        split_on: str = "whitespace",
        written: WrittenForms | None = None,
    ) -> None:
        self.kind = _one_of("kind", kind, KINDS)
        self.split_on = _one_of("split_on", split_on, SPLITS)
        self.normalization = normalization or Normalization([])
        self.specials = check_specials(specials)
        self.vocabulary = tuple(vocabulary)
        self.written = written or WrittenForms()
        texts = [SPECIALS[name] for name in self.specials]
        if list(self.vocabulary[: len(texts)]) != texts:
            raise OptionError(f"the vocabulary must begin with its special tokens {texts}")
        self._ids = {word: number for number, word in enumerate(self.vocabulary)}
        if len(self._ids) != len(self.vocabulary):
            raise OptionError("the vocabulary names a token twice")
        self._special_ids = {name: number for number, name in enumerate(self.specials)}
        self._words = {w: i for w, i in self._ids.items() if i >= len(texts)}
        if "unk" in self._special_ids:
            self._words[SPECIALS["unk"]] = self._special_ids["unk"]

    # -- ids ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the size of the vocabulary, special tokens included."""
        return len(self.vocabulary)

    def extended(self, other: Tokenizer, count: int) -> Tokenizer:
        """Return this tokenizer with up to ``count`` further words: the first ones of ``other`` that it lacks.

        >>> ours, theirs = (
        ...     Tokenizer(kind="word", vocabulary=words, specials=[]) for words in (["a", "b"], ["c", "b", "d"])
        ... )
        >>> ours.extended(theirs, 1).vocabulary
        ('a', 'b', 'c')
        """
        new = [token for token, word in enumerate(other.vocabulary) if word not in self._ids][:count]
        return Tokenizer(
            kind=self.kind,
            vocabulary=[*self.vocabulary, *(other.vocabulary[token] for token in new)],
            specials=self.specials,
            normalization=self.normalization,
            split_on=self.split_on,
            written=self.written.extended(len(self.vocabulary), other.written, new),
        )

    def special(self, name: str) -> int | None:
        """Return the id of the special token ``name`` (pad, unk, start, end); None if the tokenizer has none."""
        return self._special_ids.get(name)

    def split(self, text: str) -> list[str]:
        """Return the normalized words (or characters) of ``text``; raises OptionError if it is not a ``str``."""
        check_text(text, what="the input to encode")
        return split(self.normalization(text), self.kind, self.split_on)

    def encode(self, text: str) -> Encoding:
        """Encode ``text`` without start or end; unknown words become ``<unk>``, or are left out if there is none."""
        return self.encode_pieces(self.split(text))

    def encode_pieces(self, words: Iterable[str]) -> Encoding:
        """Encode normalized words, the result of :meth:`split` or a part of it, as :meth:`encode` does."""
        pieces = tuple(words)
        found = tuple(map(self._words.get, pieces))
        if None not in found:
            return Encoding(cast(tuple[int, ...], found), pieces, ())
        unknown = tuple([piece for piece, token in zip(pieces, found, strict=True) if token is None])
        unk = self._special_ids.get("unk")
        filled = [unk if token is None else token for token in found]
        return Encoding(tuple([token for token in filled if token is not None]), pieces, unknown)

    def encode_document(self, text: str) -> Encoding:
        """Encode a whole document as in training: with ``<start>`` and ``<end>`` if the tokenizer has them."""
        body = self.encode(text)
        return self._framed(body, start=True, end=True)

    def encode_prompt(self, text: str) -> Encoding:
        """Encode the beginning of a document; the text may begin with ``<start>``, but need not.

        Raises PromptError if ``text`` is not a ``str``, or gives no token to start from.
        """
        check_prompt(text)
        text = self.without_start(text)
        encoding = self._framed(self.encode(text), start=True, end=False)
        if not encoding.ids:
            if encoding.unknown:
                raise PromptError(f"no word of the prompt {shown(text)} is in the model's vocabulary")
            raise PromptError("the prompt is empty and this model has no <start>: give at least one word")
        return encoding

    def without_start(self, text: str) -> str:
        """Return ``text`` without ``<start>`` at its beginning, if the tokenizer has this token."""
        check_text(text, what="the input to encode")
        opening = SPECIALS["start"]
        stripped = text.lstrip()
        if "start" in self._special_ids and stripped.startswith(opening):
            return stripped[len(opening) :].removeprefix(" ")
        return text

    def _framed(self, body: Encoding, *, start: bool, end: bool) -> Encoding:
        head = self._special_ids.get("start") if start else None
        tail = self._special_ids.get("end") if end else None
        ids = ((head,) if head is not None else ()) + body.ids + ((tail,) if tail is not None else ())
        return Encoding(ids, body.pieces, body.unknown)

    # -- text --------------------------------------------------------------------------------------------------

    def detokenizer(self, casing: str = "none") -> Detokenizer:
        """Return a new :class:`Detokenizer` for this tokenizer."""
        return Detokenizer(spaced=self.kind == "word", casing=casing, capitalize_first=self.written.capitalize_first)

    def piece(self, token: int, casing: str = "none") -> str:
        """Return the text of one token, empty for a special token; applies the casing ``corpus``, but no other."""
        if not 0 <= token < len(self.vocabulary):
            raise OptionError(f"token id {token} is outside the vocabulary of {len(self.vocabulary)}")
        if token < len(self.specials):
            return ""
        word = self.vocabulary[token]
        return self.written.write(token, word) if casing == "corpus" else word

    def prompt_pieces(self, encoding: Encoding, casing: str = "none") -> list[str]:
        """Return the pieces of an encoded prompt; unknown words are normalized only."""
        if casing != "corpus":
            return list(encoding.pieces)
        return [
            self.piece(self._words[piece], casing) or piece if piece in self._words else piece
            for piece in encoding.pieces
        ]

    def decode(self, ids: Iterable[int], casing: str = "none") -> str:
        """Return the text of ``ids`` as a person would write it, without special tokens."""
        return self.detokenizer(casing).join(self.piece(int(token), casing) for token in ids)

    # -- JSON --------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as a JSON-ready dictionary."""
        return {
            "version": _FORMAT,
            "kind": self.kind,
            "split_on": self.split_on,
            "normalization": list(self.normalization.steps),
            "specials": list(self.specials),
            "vocabulary": list(self.vocabulary),
            "written": {
                "forms": self.written.forms,
                "others": {str(token): word for token, word in (self.written.others or {}).items()},
                "capitalize_first": self.written.capitalize_first,
            },
        }

    @classmethod
    def from_json(cls, value: object) -> Tokenizer:
        """Return the tokenizer of a dictionary from :meth:`to_json`; raises OptionError if it is not valid."""
        if not isinstance(value, dict):
            raise OptionError(f"a tokenizer is a JSON object, not {type(value).__name__}")
        if value.get("version") != _FORMAT:
            version = shown(value.get("version"))
            raise OptionError(f"tokenizer version {version} is not {_FORMAT}; a newer genrun may read it")
        vocabulary, specials = _texts(value.get("vocabulary")), _texts(value.get("specials"))
        steps = value.get("normalization")
        if vocabulary is None or specials is None or not isinstance(steps, list):
            raise OptionError("a tokenizer needs the lists 'vocabulary', 'specials' and 'normalization'")
        return cls(
            kind=_text(value.get("kind")),
            split_on=_text(value.get("split_on")),
            vocabulary=vocabulary,
            specials=specials,
            normalization=Normalization(steps),
            written=_written_from_json(value.get("written"), len(vocabulary)),
        )


def split(normalized: str, kind: str, split_on: str) -> list[str]:
    """Return the words or characters of a normalized text."""
    if kind == "char":
        return list(normalized)
    words = normalized.split(SPLITS[split_on])
    return [word for word in words if word] if split_on == "space" else words


def check_specials(names: Iterable[str]) -> tuple[str, ...]:
    """Return the special tokens in the order of their ids; raises OptionError for an unknown name."""
    chosen = set(names)
    for name in chosen:
        _one_of("special token", name, SPECIALS)
    return tuple(name for name in SPECIALS if name in chosen)


def _one_of(what: str, value: str, accepted: Iterable[str]) -> str:
    names = list(accepted)
    if value not in names:
        raise OptionError(f"unknown tokenizer {what} {shorten(value)!r}; accepted: {', '.join(names)}")
    return value


def _text(value: object) -> str:
    """Return ``value`` if it is a text, else its description for a message."""
    return value if isinstance(value, str) else shown(value)


def _texts(value: object) -> list[str] | None:
    """Return ``value`` if it is a list of texts, else None."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _written_from_json(value: object, size: int) -> WrittenForms:
    if not isinstance(value, dict):
        return WrittenForms()
    forms, others = value.get("forms", ""), value.get("others", {})
    fits = isinstance(forms, str) and len(forms) <= size and bool(re.fullmatch(r"[.CU*]*", forms))
    if not fits or not isinstance(others, dict) or len(others) > size:
        raise OptionError("a tokenizer's 'written' forms do not fit its vocabulary")
    if not all(re.fullmatch(r"[0-9]{1,9}", k) and isinstance(v, str) for k, v in others.items()):
        raise OptionError("a tokenizer's 'written' forms do not fit its vocabulary")
    words = {int(token): word for token, word in others.items()}
    return WrittenForms(forms, words, bool(value.get("capitalize_first")))
