"""Converts text to token ids and back: one implementation, used by training and by generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrun.tokenizer.detokenizer import CASINGS, Detokenizer
from genrun.tokenizer.encoding import Encoding
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from genrun.tokenizer.building.vocabulary import VocabularyBuilder
    from genrun.tokenizer.settings import TokenizerSettings

__all__ = [
    "CASINGS",
    "Detokenizer",
    "Encoding",
    "Normalization",
    "Tokenizer",
    "TokenizerSettings",
    "VocabularyBuilder",
]


def __getattr__(name: str) -> object:
    """Import what training alone needs when it is asked for (PEP 562)."""
    if name == "VocabularyBuilder":
        from genrun.tokenizer.building.vocabulary import VocabularyBuilder

        return VocabularyBuilder
    if name == "TokenizerSettings":
        from genrun.tokenizer.settings import TokenizerSettings

        return TokenizerSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
