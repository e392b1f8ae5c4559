"""The option ``--label-column``, of commands that train, and what it and ``--label`` are as options of the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

__all__ = ["label_column_option", "reader_options"]


label_column_option = click.option(
    "--label-column",
    "label_columns",
    metavar="NAME",
    multiple=True,
    help="A column or field of CORPUS that is a label of the documents.",
)


def reader_options(columns: Sequence[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the options of the reader that ``--label-column`` and ``--label`` stand for.

    >>> reader_options(["section"], {})
    {'reader.label_columns': 'section'}
    """
    pairs = [f"{name}={value}" for name, value in labels.items()]
    options = {"reader.label_columns": columns, "reader.label": pairs}
    return {name: ",".join(values) for name, values in options.items() if values}
