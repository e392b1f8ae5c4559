"""The keywords of a call that ask for a search: most calls have none, and need not import the searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search

__all__ = ["SearchChoices", "search_of"]


class SearchChoices(TypedDict, total=False):
    """The keywords of a call that ask for a search."""

    beam: int | None
    length_penalty: float | None
    distinct: bool
    spread: bool


def search_of(**choices: Unpack[SearchChoices]) -> Search | None:
    """Return the search that these choices mean, None for none.

    Raises OptionError for values that are not accepted, or that do not go together.

    >>> search_of(beam=16, distinct=False)
    Beam(width=16, length_penalty=0.0)
    """
    numbers = choices.get("beam"), choices.get("length_penalty")
    if numbers == (None, None) and choices.get("distinct", False) is choices.get("spread", False) is False:
        return None
    from genrun.generating.searching.methods import make_search

    return make_search(**choices)
