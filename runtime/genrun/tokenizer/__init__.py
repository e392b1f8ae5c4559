"""Converts text to token ids and back: one implementation, used by training and by generation."""

from __future__ import annotations

from genrun.tokenizer.building.vocabulary import VocabularyBuilder
from genrun.tokenizer.detokenizer import CASINGS, Detokenizer
from genrun.tokenizer.encoding import Encoding
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.settings import TokenizerSettings
from genrun.tokenizer.tokenizer import Tokenizer

__all__ = [
    "CASINGS",
    "Detokenizer",
    "Encoding",
    "Normalization",
    "Tokenizer",
    "TokenizerSettings",
    "VocabularyBuilder",
]
