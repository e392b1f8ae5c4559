"""The tokenizer: normalization, splitting, a vocabulary with special tokens, and decoding to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genrun.checks.arguments import check_prompt, check_text
from genrun.checks.short_text import shown
from genrun.errors import OptionError, PromptError
from genrun.tokenizer import json_form
from genrun.tokenizer.detokenizer import Detokenizer, MarkedDetokenizer
from genrun.tokenizer.encoders import encoder_for
from genrun.tokenizer.encoding import Encoding, OpenEnd
from genrun.tokenizer.kinds import KINDS, SPECIALS, SPLITS, check_specials, check_vocabulary, one_of
from genrun.tokenizer.labels import Labels
from genrun.tokenizer.line_breaks import LINE_BREAK, check_end_text, split_text
from genrun.tokenizer.marks import opened, without_joiners
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.words.written_forms import WrittenForms

if TYPE_CHECKING:
    from genrun.tokenizer.subwords.encoder import Merge
    from genrun.tokenizer.subwords.open_end import OpenEndFinder

__all__ = ["KINDS", "SPECIALS", "SPLITS", "Encoding", "Tokenizer", "WrittenForms"]


class Tokenizer:
    """Turns text into token ids and back; immutable.

    ``vocabulary`` lists the tokens by id, the enabled ``specials`` first, in the order pad, unk, start, end. Of
    subwords, ``merges`` are pairs of tokens, the first to be applied first. ``subwords``: None for other kinds. Of
    words, ``line_breaks`` are pieces, of which at most two follow one another; other kinds keep all of them.
    ``end_text``: what ``<end>`` is written as: nothing, a line break, or two. ``labels``: tokens of the vocabulary
    that stand before a text, and are no text. Raises OptionError if the arguments do not fit together.

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
        merges: Iterable[Merge] = (),
        line_breaks: bool = False,
        end_text: str = "",
        labels: Labels | None = None,
    ) -> None:
        self.kind = one_of("kind", kind, KINDS)
        self.split_on = one_of("split_on", split_on, SPLITS)
        self.normalization = normalization or Normalization([])
        self.specials = check_specials(specials)
        self.vocabulary = tuple(vocabulary)
        self.merges = tuple(merges)
        self.written = written or WrittenForms()
        self.line_breaks = line_breaks and kind == "word"
        self.labels = labels or Labels()
        self.end_text = check_end_text(end_text, has_end="end" in self.specials)
        self._breaks = (2 if self.line_breaks else int(bool(end_text))) if kind == "word" else 0  # in a row
        self._opening = self.normalization.opening_marks if self.kind == "word" else None
        check_vocabulary(kind, self.vocabulary, self.specials, self.labels)
        first, of_labels = len(self.specials), self.labels.tokens
        self._special_ids = {name: number for number, name in enumerate(self.specials)}
        self._words = dict(zip(self.vocabulary[first:], range(first, len(self)), strict=True))
        for label in self.labels.texts:
            del self._words[label]
        if "unk" in self._special_ids:
            self._words[SPECIALS["unk"]] = self._special_ids["unk"]
        self._end_piece = end_text
        text = [*self.vocabulary[: of_labels.start], *self.vocabulary[of_labels.stop :]]
        self._encoder = encoder_for(
            *(kind, text, self._special_ids, self._words),
            written=self.written,
            merges=self.merges,
            end_text=end_text,
        )
        self.subwords: OpenEndFinder | None = None
        if kind == "bpe":
            from genrun.tokenizer.subwords.byte_letters import letters_of
            from genrun.tokenizer.subwords.open_end import OpenEndFinder

            self._end_piece = letters_of(end_text.encode())
            self.subwords = OpenEndFinder(self._encoder, text, first)

    # -- ids ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the size of the vocabulary, special tokens included."""
        return len(self.vocabulary)

    def with_end_text(self, text: str) -> Tokenizer:
        r"""Return this tokenizer with ``<end>`` written as ``text``, for a model that writes on after it.

        If it is a line break, which the vocabulary lacks, a line break in a prompt is ``<end>`` (and ``<start>``).

        >>> lines = Tokenizer(kind="word", vocabulary=["<end>", "sea", "sky"], specials=["end"]).with_end_text("\n")
        >>> lines.encode("sea\nsky").ids, lines.decode([1, 0, 2])
        ((1, 0, 2), 'sea\nsky')
        """
        return Tokenizer(**{**json_form.arguments(self), "end_text": text})

    def special(self, name: str) -> int | None:
        """Return the id of the special token ``name`` (pad, unk, start, end); None if the tokenizer has none."""
        return self._special_ids.get(name)

    def split(self, text: str) -> list[str]:
        """Return the normalized words (or characters) of ``text``; raises OptionError if it is not a ``str``."""
        check_text(text, what="the input to encode")
        return split_text(text, self.normalization, self.kind, self.split_on, self._breaks)

    @property
    def keeps_line_breaks(self) -> bool:
        """Whether a line break within a text is a token of its own; otherwise it is lost, or a part of a word."""
        return LINE_BREAK in self.split(f"a{LINE_BREAK}b")

    def split_open(self, text: str) -> list[str]:
        """Return the pieces of ``text``, which goes on: a mark at its end, after a space, is an opening one.

        That is so with the step ``mark_edges``, unless white space follows or the vocabulary has the mark more often
        alone.
        """
        pieces = self.split(text)
        opening = self._opening
        return pieces if opening is None or text[-1:].isspace() else opened(pieces, opening, self._words)

    def encode(self, text: str) -> Encoding:
        """Encode ``text`` without start or end; unknown words become ``<unk>``, or are left out if there is none."""
        return self.encode_pieces(self.split(text))

    def encode_pieces(self, words: Iterable[str]) -> Encoding:
        """Encode normalized words, the result of :meth:`split` or a part of it, as :meth:`encode` does."""
        return self._encoded(words)

    def encode_document(self, text: str) -> Encoding:
        """Encode a whole document as in training: with ``<start>`` and ``<end>`` if the tokenizer has them."""
        return self._encoded(self.split(text), start=True, end=True)

    def encode_prompt(self, text: str, labels: Mapping[str, str] | None = None) -> Encoding:
        """Encode the beginning of a document, after its labels; the text may begin with ``<start>``, but need not.

        Raises PromptError if ``text`` is not a ``str``, or gives no token to start from, OptionError for ``labels``.
        """
        check_prompt(text)
        text = self.without_start(text)
        encoding = self._encoded(self.split_open(text), start=True)
        if not encoding.ids:
            if encoding.unknown:
                raise PromptError(f"no word of the prompt {shown(text)} is in the model's vocabulary")
            raise PromptError("the prompt is empty and this model has no <start>: give at least one word")
        return encoding.after(self.labels.ids(labels))

    def without_start(self, text: str) -> str:
        """Return ``text`` without ``<start>`` at its beginning, if the tokenizer has this token."""
        check_text(text, what="the input to encode")
        opening = SPECIALS["start"]
        stripped = text.lstrip()
        if "start" in self._special_ids and stripped.startswith(opening):
            return stripped[len(opening) :].removeprefix(" ")
        return text

    def _encoded(self, words: Iterable[str], *, start: bool = False, end: bool = False) -> Encoding:
        pieces = tuple(words)
        ids, unknown = self._encoder.encode(pieces)
        if start and (first := self.special("start")) is not None:
            ids = (first, *ids)
        if end and (last := self.special("end")) is not None:
            ids = (*ids, last)
        if unknown and self._opening:
            unknown = tuple(map(without_joiners, unknown))
        return Encoding(ids, pieces, unknown)

    # -- text --------------------------------------------------------------------------------------------------

    def open_end(self, encoding: Encoding) -> OpenEnd:
        """Return the ids of an encoded prompt, those apart that further text may turn into others: only subwords."""
        if self.subwords is None or not encoding.pieces:
            return OpenEnd(encoding.ids)
        count = len(self.labels)
        start = encoding.ids[count : count + 1] == (self._special_ids.get("start"),)
        return self.subwords.find(encoding.ids[: count + start], encoding.pieces)

    def detokenizer(self, casing: str = "none") -> Detokenizer:
        """Return a new :class:`Detokenizer` for this tokenizer."""
        first = self.written.capitalize_first
        if self.kind == "bpe":
            from genrun.tokenizer.subwords.detokenizer import SubwordDetokenizer

            return SubwordDetokenizer(casing=casing, capitalize_first=first)
        if self._opening is not None:
            return MarkedDetokenizer(casing=casing, capitalize_first=first, line_breaks=self._breaks)
        spaced = self.kind == "word"
        return Detokenizer(spaced=spaced, casing=casing, capitalize_first=first, line_breaks=self._breaks)

    def piece(self, token: int, casing: str = "none") -> str:
        """Return the text of one token, empty for a special token but an ``<end>`` that has a text.

        Applies the casing ``corpus``, but no other.

        A subword is in letters of bytes: it may be a part of a character.
        """
        piece = self.piece_to_join(token, casing)
        return without_joiners(piece) if self._opening else piece

    def piece_to_join(self, token: int, casing: str = "none") -> str:
        """Return the text of one token as a detokenizer takes it: marks with the U+2060 of ``mark_edges``."""
        if not 0 <= token < len(self.vocabulary):
            raise OptionError(f"token id {token} is outside the vocabulary of {len(self.vocabulary)}")
        if token < len(self.specials) or token in self.labels.tokens:
            return self._end_piece if token == self._special_ids.get("end") else ""
        word = self.vocabulary[token]
        return self.written.write(token, word) if casing == "corpus" else word

    def prompt_pieces(self, encoding: Encoding, casing: str = "none") -> list[str]:
        """Return the pieces of an encoded prompt, for a detokenizer; unknown words are normalized only."""
        if self.kind == "bpe":
            return [self.piece_to_join(token) for token in encoding.ids]
        if casing != "corpus":
            return list(encoding.pieces)
        return [
            self.piece_to_join(self._words[piece], casing) or piece if piece in self._words else piece
            for piece in encoding.pieces
        ]

    def decode(self, ids: Iterable[int], casing: str = "none") -> str:
        """Return the text of ``ids`` as a person would write it, without special tokens."""
        written = self.detokenizer(casing)
        pieces = [self.piece_to_join(int(token), casing) for token in ids]
        return written.join(pieces) + written.finish()

    # -- JSON --------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as a JSON-ready dictionary."""
        return json_form.to_json(self)

    @classmethod
    def from_json(cls, value: object) -> Tokenizer:
        """Return the tokenizer of a dictionary from :meth:`to_json`; raises OptionError if it is not valid."""
        return cls(**json_form.from_json(value))
