"""The options of the commands that find several texts of a prompt together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search

__all__ = ["search_options"]

Command = Callable[..., Any]


def search_options(command: Command) -> Command:
    """Give a command ``--beam``, ``--length-penalty``, ``--distinct`` and ``--spread``.

    They are one parameter, ``searching``: a function that returns the search for ``n`` texts of a prompt, or None. It
    raises OptionError for options that do not go together.
    """

    @functools.wraps(command)
    def with_options(
        *arguments: Any, beam: int | None, length_penalty: float | None, distinct: bool, spread: bool, **values: Any
    ) -> Any:
        def searching(n: int) -> Search | None:
            from genrun.generating.searching.methods import check_texts_of_search, make_search

            search = make_search(beam=beam, length_penalty=length_penalty, distinct=distinct, spread=spread)
            if search is not None:
                check_texts_of_search(search, n)
            return search

        return command(*arguments, searching=searching, **values)

    options = (
        click.option("--beam", type=int, metavar="WIDTH", help="The likeliest texts, by a beam of this width."),
        click.option(
            "--length-penalty",
            type=float,
            metavar="A",
            help="Rank them by log-probability / tokens ** A. [default: 0]",
        ),
        click.option("--distinct", is_flag=True, help="Draw different texts (-n)."),
        click.option("--spread", is_flag=True, help="Draw evenly spread texts (-n)."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), with_options)
