"""The labels of a corpus: which values get a token of their own, and what a user is told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from genrun.contracts import Document
from genrun.errors import CorpusError
from genrun.tokenizer.labels import Label, Labels

__all__ = ["LabelCounts", "labels_of", "numbered", "with_labels"]

_NAMED = 5  # values in a line


def labels_of(document: str) -> dict[str, str]:
    """Return the labels of a document, which may be a plain text."""
    return document.labels if isinstance(document, Document) else {}


def with_labels(documents: Iterable[str], labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the documents that have all ``labels``; an empty value asks for nothing.

    >>> list(with_labels([Document("The sea", {"section": "Travel"}), "The law"], {"section": "Travel", "year": ""}))
    ['The sea']
    """
    wanted = {(name, value) for name, value in labels.items() if value}
    return (document for document in documents if wanted <= labels_of(document).items())


class LabelCounts:
    """Counts the values of the labels of documents that are trained on.

    >>> counts = LabelCounts()
    >>> for section in ("Opinion", "Opinion", "Sports", ""):
    ...     counts.add(Document("The sea", {"section": section}))
    >>> counts.labels(minimum=2, first=10).texts
    ['< section >', '< section, rare >', '< section = Opinion >']
    >>> list(counts.described(minimum=2))
    ['label section: 1 value (Opinion 2); 1 document with 1 rarer value; 1 document without']
    """

    def __init__(self) -> None:
        self._documents = 0
        self._counts: dict[str, Counter[str]] = {}

    def add(self, document: str) -> None:
        """Count the labels of one document."""
        self._documents += 1
        for name, value in labels_of(document).items():
            self._counts.setdefault(name, Counter())[value] += 1

    def labels(self, minimum: int, first: int) -> Labels:
        """Return the labels, their tokens from ``first`` on; values of fewer than ``minimum`` documents share one.

        The names are sorted, the values by falling count. Raises CorpusError for a label without a frequent value.
        """
        found = []
        for name, counts in sorted(self._counts.items()):
            values = _frequent(counts, minimum)
            if not values:
                [(value, count)] = counts.most_common(1)
                raise CorpusError(
                    f"no value of the label {name!r} has {minimum:,} documents (the most frequent, {value!r}, has "
                    f"{count:,}): --set label_minimum=… accepts fewer"
                )
            found.append(Label(name, tuple(values), len(values) < len(counts)))
        return Labels(found, first)

    def described(self, minimum: int) -> Iterator[str]:
        """Yield a line for each label: its values, and how many documents have none or a rare one."""
        for name, counts in sorted(self._counts.items()):
            values = _frequent(counts, minimum)
            shown = ", ".join(f"{value} {counts[value]:,}" for value in values[:_NAMED])
            more = f", and {len(values) - _NAMED:,} more" if len(values) > _NAMED else ""
            parts = [f"label {name}: {numbered(len(values), 'value')} ({shown}{more})"]
            if rare := len(counts) - len(values):
                documents = counts.total() - sum(counts[value] for value in values)
                parts.append(f"{numbered(documents, 'document')} with {numbered(rare, 'rarer value')}")
            if without := self._documents - counts.total():
                parts.append(f"{numbered(without, 'document')} without")
            yield "; ".join(parts)


def _frequent(counts: Counter[str], minimum: int) -> list[str]:
    return sorted((value for value, count in counts.items() if count >= minimum), key=lambda v: (-counts[v], v))


def numbered(number: int, what: str) -> str:
    """Return a number with what it is of, in the plural unless it is 1."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
