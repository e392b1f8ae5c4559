"""Which search a call asks for, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from genrun.checks.arguments import check_count
from genrun.checks.short_text import class_name, shown
from genrun.errors import OptionError
from genrun.sampling import Chain

__all__ = [
    "Beam",
    "Distinct",
    "Search",
    "Spread",
    "check_texts_of_search",
    "make_search",
    "stages_of",
]

_MOST = 10_000  # texts of one prompt, or places of a beam: all are in memory together


@dataclass(frozen=True, slots=True)
class Beam:
    """The likeliest texts: at each length, the ``width`` likeliest beginnings are kept.

    Texts are ranked by log-probability / tokens ** ``length_penalty``.
    """

    begins_alone: ClassVar[bool] = True  # without the stages of the model's own decoder, which would hide texts

    width: int
    length_penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Distinct:
    """Texts that are drawn without replacement."""

    begins_alone: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Spread:
    """Texts that are drawn with numbers of equal distance."""

    begins_alone: ClassVar[bool] = False


Search = Beam | Distinct | Spread


def make_search(
    *, beam: int | None = None, length_penalty: float | None = None, distinct: bool = False, spread: bool = False
) -> Search | None:
    """Return the search that these choices mean, None for none.

    Raises OptionError for values that are not accepted, or that do not go together.

    >>> make_search(beam=16)
    Beam(width=16, length_penalty=0.0)
    >>> make_search(distinct=True, spread=True)
    Traceback (most recent call last):
        ...
    genrun.errors.OptionError: choose one of beam, distinct and spread, not distinct and spread
    """
    for name, value in (("distinct", distinct), ("spread", spread)):
        if not isinstance(value, bool):
            raise OptionError(f"{name} is True or False, not {shown(value)}")
    asked = [
        name for name, given in (("beam", beam is not None), ("distinct", distinct), ("spread", spread)) if given
    ]
    if len(asked) > 1:
        raise OptionError(f"choose one of beam, distinct and spread, not {' and '.join(asked)}")
    if beam is not None:
        penalty = 0.0 if length_penalty is None else _checked_penalty(length_penalty)
        return Beam(check_count("beam", beam, _MOST), penalty)
    if length_penalty is not None:
        raise OptionError("a length penalty is for beam search: give beam as well")
    return Distinct() if distinct else Spread() if spread else None


def check_texts_of_search(search: Search, n: int) -> int:
    """Return ``n`` if a search may be asked for this number of texts; raises OptionError otherwise."""
    check_count("n", n, _MOST)
    if isinstance(search, Beam) and n > search.width:
        raise OptionError(f"a beam of {search.width} finds at most {search.width} texts of a prompt, not {n}")
    return n


def stages_of(decoder: Any, search: Search) -> Chain:
    """Return ``decoder`` as a chain without a chooser; raises OptionError for one that chooses by itself."""
    chain = decoder if isinstance(decoder, Chain) else None
    if chain is None and callable(getattr(decoder, "apply", None)):
        chain = Chain((decoder,))
    if chain is None or chain.temperature is None:
        chooser = class_name(decoder if chain is None else chain.chooser)
        name = _NAMES[type(search)]
        raise OptionError(f"{name} chooses by itself: it needs stages, such as the decoder 'top-p', not {chooser}")
    if isinstance(search, Beam) and (chain.temperature != 1 or _own_temperature(chain) != 1):
        raise OptionError("beam search ranks texts by the probability of the model, which no temperature changes")
    return chain


_NAMES: dict[type, str] = {Beam: "beam search", Distinct: "a draw of distinct texts", Spread: "a spread draw"}


def _own_temperature(chain: Chain) -> float:
    return float(getattr(chain.stages[-1], "temperature", 1)) if chain.stages else 1.0


def _checked_penalty(value: Any) -> float:
    try:
        penalty = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        penalty = math.nan
    if not 0 <= penalty <= 10:
        raise OptionError(f"length_penalty must be a number from 0 to 10, not {shown(value)}")
    return penalty
