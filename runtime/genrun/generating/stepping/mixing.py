"""Mixing two models: whether they may be mixed, and the metadata of the mixture."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, Self

from genrun.checks.short_text import shown
from genrun.errors import OptionError
from genrun.generating.stepping.mixed_session import MixedSession
from genrun.generating.stepping.open_model import OpenModel
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import Verification

__all__ = ["MixableModel", "Mixing"]

# What decides which ids a text has; how words are written may differ.
_OF_TOKENS = ("kind", "split_on", "specials", "merges", "line_breaks", "end_text")


class Mixing(NamedTuple):
    """The arguments of :meth:`MixableModel.mixed_with` that make a model again."""

    first: MixableModel
    second: MixableModel
    weight: float

    def opened(self) -> MixableModel:
        """Return the mixture."""
        return self.first.mixed_with(self.second, self.weight)


class MixableModel(OpenModel):
    """An open model that can be mixed with another one."""

    def mixed_with(self, other: MixableModel, weight: float) -> Self:
        """Return a model that gives each token (1 - ``weight``) · p of this one + ``weight`` · p of ``other``.

        ``weight``: above 0 and below 1. Both must have one vocabulary. Defaults, casing and device are those of this
        model. Raises OptionError for other weights, or for models that read a text as different tokens.

        >>> half = model.mixed_with(model, 0.5)
        >>> half.generate("the council", max_new_tokens=2)
        'the council votes again'
        """
        if not isinstance(other, MixableModel):
            raise OptionError(f"a model is mixed with another model, not {shown(other)}")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < 1:
            raise OptionError(f"the weight of a mixture must be above 0 and below 1, not {shown(weight)}")
        _check_same_tokens(self, other)
        session = MixedSession(self._session, other._session, float(weight))
        metadata = _mixed_metadata(self._metadata, self, other, float(weight))
        return self._like(session, metadata, Mixing(self, other, float(weight)))

    @abstractmethod
    def _like(self, session: MixedSession, metadata: Metadata, mixing: Mixing) -> Self:
        """Return a model of this class."""


def _check_same_tokens(first: OpenModel, second: OpenModel) -> None:
    """Raise OptionError unless every text has the same ids for both models."""
    one, other = first.tokenizer, second.tokenizer
    refused = f"{first.path} and {second.path} cannot be mixed"
    if len(one) != len(other):
        raise OptionError(f"{refused}: their vocabularies have {len(one):,} and {len(other):,} tokens")
    for number, (word, another) in enumerate(zip(one.vocabulary, other.vocabulary, strict=True)):
        if word != another:
            raise OptionError(
                f"{refused}: their vocabularies differ, first in token {number}, {shown(word)} and {shown(another)}"
            )
    for name in _OF_TOKENS:
        if getattr(one, name) != getattr(other, name):
            values = f"{shown(getattr(one, name))} and {shown(getattr(other, name))}"
            raise OptionError(f"{refused}: their tokenizers differ in {name}, {values}")
    if one.normalization.steps != other.normalization.steps:
        raise OptionError(f"{refused}: their tokenizers differ in normalization")


def _mixed_metadata(metadata: Metadata, first: OpenModel, second: OpenModel, weight: float) -> Metadata:
    """Return the ``metadata`` of ``first`` for a mixture, which has other texts than the golden ones."""
    parts = f"{_identity(first)} {_identity(second)} {weight!r}"
    mixed_with = {"path": str(second.path), "digest": second.digest, "weight": weight}
    return replace(
        metadata,
        card=MappingProxyType({**metadata.card, "mixed_with": mixed_with}),
        verification=Verification(),
        digest=f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}",
    )


def _identity(model: OpenModel) -> str:
    return model.digest or f"{model.size} bytes"
