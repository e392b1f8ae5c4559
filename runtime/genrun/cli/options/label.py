"""The option ``--label``, of commands that generate, score, suggest or measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from genrun.errors import OptionError

Command = Callable[..., Any]

__all__ = ["label_option", "parse_labels"]


def parse_labels(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as labels; an empty value is no label.

    >>> parse_labels(("section=Opinion", "year="))
    {'section': 'Opinion', 'year': ''}
    """
    from genrun.contracts.options import split_pairs

    labels: dict[str, str] = {}
    for name, value in split_pairs(pairs, "--label takes NAME=VALUE, such as section=Opinion"):
        if name in labels:
            raise OptionError(f"--label names {name!r} twice")
        labels[name] = value.strip()
    return labels


def _parsed(context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    return parse_labels(pairs)


def label_option(help_text: str) -> Callable[[Command], Command]:
    """Return the option ``--label``, whose parameter ``labels`` is a dictionary."""
    return click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, callback=_parsed, help=help_text)
