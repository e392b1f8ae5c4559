"""The options of the commands that find several texts of a prompt together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from genrun.cli.options.group import option_group

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search

__all__ = ["search_options"]


def _searching(
    beam: int | None, length_penalty: float | None, distinct: bool, spread: bool
) -> Callable[[int], Search | None]:
    """Return a function that returns the search for ``n`` texts of a prompt, or None.

    It raises OptionError for options that do not go together.
    """

    def searching(n: int) -> Search | None:
        from genrun.generating.searching.choices import search_of

        search = search_of(beam=beam, length_penalty=length_penalty, distinct=distinct, spread=spread)
        if search is not None:
            from genrun.generating.searching.methods import check_texts_of_search

            check_texts_of_search(search, n)
        return search

    return searching


search_options = option_group(
    "searching",
    _searching,
    click.option("--beam", type=int, metavar="WIDTH", help="The likeliest texts, by a beam of this width."),
    click.option(
        "--length-penalty", type=float, metavar="A", help="Rank them by log-probability / tokens ** A. [default: 0]"
    ),
    click.option("--distinct", is_flag=True, help="Draw different texts (-n)."),
    click.option("--spread", is_flag=True, help="Draw evenly spread texts (-n)."),
)
