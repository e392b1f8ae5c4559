"""The settings of a tokenizer, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.tokenizer.kinds import KINDS, SPLITS, check_specials
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.subwords.byte_letters import LETTERS

__all__ = ["TokenizerSettings"]

_BYTES = len(LETTERS)
_SPACING = ("isolate", "isolate_edges", "mark_edges")


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """The settings of a tokenizer, all but its vocabulary, which comes from the corpus.

    ``vocabulary_limit``: the most entries besides ``<pad>`` (other special tokens count), 0 for no limit; of
    subwords, 0 is what suits the length of the corpus, 512 to 8,000. ``minimum_count``: rarer words are left out; two
    subwords that are neighbours less often, or once, are not joined. ``normalization``: without ``mark_edges`` for
    characters, which are joined without spaces anyway. ``line_breaks``: of words, line breaks are tokens, not white
    space; other kinds keep them anyway. ``label_minimum``: values of a label that fewer documents have share a token.
    Raises OptionError for a value that is not accepted.
    """

    kind: str = "word"
    split_on: str = "whitespace"
    normalization: tuple[Mapping[str, str], ...] = ()
    specials: tuple[str, ...] = ("pad", "unk", "start", "end")
    vocabulary_limit: int = 0
    minimum_count: int = 1
    line_breaks: bool = False
    label_minimum: int = 20

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"tokenizer kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.split_on not in SPLITS:
            raise OptionError(f"split_on must be one of {', '.join(SPLITS)}, not {self.split_on!r}")
        if self.vocabulary_limit < 0 or self.minimum_count < 1:
            raise OptionError("vocabulary_limit must be 0 (no limit) or more, and minimum_count 1 or more")
        if self.label_minimum < 1:
            raise OptionError(f"label_minimum must be 1 or more, not {self.label_minimum}")
        besides_pad = [name for name in check_specials(self.specials) if name != "pad"]
        if 0 < self.vocabulary_limit <= len(besides_pad):
            raise OptionError(
                f"vocabulary_limit {self.vocabulary_limit} leaves no room for words beside the special tokens"
            )
        Normalization(self.normalization)
        if self.kind == "char":
            others = tuple(step for step in self.normalization if step["step"] != "mark_edges")
            object.__setattr__(self, "normalization", others)
        if self.kind == "bpe":
            self._check_subwords(len(besides_pad))

    def _check_subwords(self, specials: int) -> None:
        if 0 < self.vocabulary_limit < _BYTES + specials:
            raise OptionError(
                f"vocabulary_limit {self.vocabulary_limit} is too low for subwords: the {_BYTES} bytes and the "
                f"special tokens need {_BYTES + specials}"
            )
        spacing = [step["step"] for step in self.normalization if step.get("step") in _SPACING]
        if spacing:
            raise OptionError(
                f"the normalization step {spacing[0]!r} is for words; subwords keep a text as it is spaced "
                "(--recipe subwords has no such step)"
            )
