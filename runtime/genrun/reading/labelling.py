"""Labels of documents: one for a whole reader (``author=Burns``), or the values of other columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from genrun.contracts import Document
from genrun.errors import OptionError

__all__ = ["fixed_labels", "labelled", "with_columns"]


def fixed_labels(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as labels; raises OptionError for a text that is none.

    >>> fixed_labels(["author=Burns"])
    {'author': 'Burns'}
    """
    labels = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OptionError(f"label is NAME=VALUE, such as author=Burns, not {pair!r}")
        labels[name.strip()] = value.strip()
    return labels


def labelled(texts: Iterable[str], labels: Mapping[str, str]) -> Iterator[Document]:
    """Yield ``texts`` as documents with ``labels``; what a text has already goes before them.

    >>> [document.labels for document in labelled(["One"], {"author": "Burns"})]
    [{'author': 'Burns'}]
    """
    for text in texts:
        yield Document(text, {**labels, **(text.labels if isinstance(text, Document) else {})})


def with_columns(texts: Sequence[str], columns: Mapping[str, Sequence[object]]) -> Sequence[str]:
    """Return ``texts`` with the values of ``columns``, of the same length, as their labels; None is no label.

    >>> [document.labels for document in with_columns(["One", "Two"], {"year": [1786, None]})]
    [{'year': '1786'}, {}]
    """
    if not columns:
        return texts
    rows = zip(*columns.values(), strict=True)
    return [
        Document(text, {name: str(value) for name, value in zip(columns, row, strict=True) if value is not None})
        for text, row in zip(texts, rows, strict=True)
    ]
