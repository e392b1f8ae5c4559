"""What a recipe says about the exported model: its defaults, and what its maker says about it."""

from __future__ import annotations

from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.loading.generation_defaults import GenerationDefaults
from genrun_core.recipes.checks import check, check_choice

__all__ = ["COPIED", "END_TOKENS", "CardSettings", "OutputSettings"]

COPIED = range(4, 8)  # the most words in a row that a text may copy, as a model file can tell
END_TOKENS = ("auto", "stop", "line", "paragraph")


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What an exported model does unless told otherwise; see :mod:`genrun.loading.generation_defaults`.

    ``end_token``: what ``<end>`` does. ``stop``: it ends the text. A model of running text can write on: ``line``
    makes it a line break, ``paragraph`` a blank line. ``auto``: ``stop`` for separate documents; of a running text
    ``line``, or ``paragraph`` if its documents have line breaks of their own. ``fit_decoder``: stages that make texts
    more like the corpus come before the decoder (:mod:`genrun_core.evaluation.exported_decoder`).

    ``originality``: the file has hashed runs of words of the training text, so that it is known what a text copies.
    ``max_copied``: the most words in a row that a text may copy, usually 4 to 7, 0 for any number; with
    ``fit_decoder``, 0 leaves it to the texts at the end of the training, if they copy long runs.
    """

    max_new_tokens: int = 20
    casing: str = "none"
    end_token: str = "auto"
    fit_decoder: bool = False
    originality: bool = True
    max_copied: int = 0

    def __post_init__(self) -> None:
        check_choice("end_token", self.end_token, END_TOKENS)
        check("max_copied", 0 <= self.max_copied <= 64, "0 (off) or more words", self.max_copied)
        if self.max_copied and not self.originality:
            raise OptionError("max_copied needs originality=true: the model file must know its training text")
        GenerationDefaults(max_new_tokens=self.max_new_tokens, casing=self.casing)


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What the maker says about the model: its licence and where its text comes from."""

    licence: str = "unspecified"
    source: str = ""
