"""The labels of a model: conditions such as ``section=Opinion``, each a token that stands before a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from genrun.checks.short_text import shown
from genrun.errors import OptionError, nearest

__all__ = ["Label", "Labels", "check_labels"]


class Label(NamedTuple):
    """One label: its ``name``, its ``values``, and whether rarer values share a token (``other``)."""

    name: str
    values: tuple[str, ...]
    other: bool = False

    @property
    def texts(self) -> list[str]:
        """What the vocabulary calls its tokens: no label, the rare values, and each value.

        They have a space, which no word, character or subword has.

        >>> Label("section", ("Opinion",), True).texts
        ['< section >', '< section, rare >', '< section = Opinion >']
        """
        rare = [f"< {self.name}, rare >"] if self.other else []
        return [f"< {self.name} >", *rare, *(f"< {self.name} = {value} >" for value in self.values)]


class Labels:
    """The labels of a model, in the order in which their tokens stand before a text.

    The tokens have the ids from ``first`` on, one label after the other. Raises OptionError for two labels or values
    of one name.

    >>> labels = Labels([Label("section", ("Opinion", "Sports")), Label("year", ("1786",))], first=100)
    >>> labels.ids({"section": "Sports"}), labels.ids({"year": "1786", "section": ""}), labels.tokens
    ((102, 103), (100, 104), range(100, 105))
    """

    def __init__(self, labels: Sequence[Label] = (), first: int = 0) -> None:
        self.all = tuple(labels)
        self._tokens: dict[str, dict[str, int]] = {}
        self._none: dict[str, int] = {}
        self._other: dict[str, int] = {}
        at = first
        for label in self.all:
            self._none[label.name] = at
            self._other[label.name] = at + label.other
            at += 1 + label.other
            self._tokens[label.name] = {value: at + number for number, value in enumerate(label.values)}
            at += len(label.values)
        self.tokens = range(first, at)
        if len(self.texts) != len(set(self.texts)):
            raise OptionError("the tokenizer names a label or a value of it twice")

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.all)

    @property
    def texts(self) -> list[str]:
        """What the vocabulary calls the tokens."""
        return [text for label in self.all for text in label.texts]

    def ids(self, given: Mapping[str, str] | None = None) -> tuple[int, ...]:
        """Return a token for each label: that of its value in ``given``; without one, or if it is empty, of none.

        Raises OptionError for a name or a value that the model does not know, with the nearest one.
        """
        given = given or {}
        for name, value in given.items():
            if name not in self._tokens:
                hint = nearest(name, self._tokens) if self._tokens else "it was trained without labels"
                raise OptionError(f"the model has no label {shown(name)}; {hint}")
            if value and value not in self._tokens[name]:
                raise OptionError(
                    f"the label {shown(name)} has no value {shown(value)}; {nearest(value, self._tokens[name])}"
                )
        return tuple([self._token(name, given.get(name, ""), none) for name, none in self._none.items()])

    def ids_of_document(self, given: Mapping[str, str]) -> tuple[int, ...]:
        """Return the same for the labels of a document, which may have others and rare values."""
        return tuple(
            [
                self._tokens[name].get(value, self._other[name]) if (value := given.get(name, "")) else none
                for name, none in self._none.items()
            ]
        )

    def _token(self, name: str, value: str, none: int) -> int:
        return self._tokens[name][value] if value else none

    def to_json(self) -> dict[str, Any]:
        """Return the labels as JSON-ready values: empty if there are none."""
        if not self.all:
            return {}
        described = [{"name": label.name, "values": list(label.values), "rare": label.other} for label in self.all]
        return {"labels": {"first": self.tokens.start, "names": described}}

    @classmethod
    def from_json(cls, value: object) -> Labels:
        """Return the labels that :meth:`to_json` has below ``labels``; raises OptionError if they are not valid."""
        if value is None:
            return cls()
        try:
            first, names = value["first"], value["names"]  # type: ignore[index]
            found = [Label(each["name"], tuple(each["values"]), each["rare"]) for each in names]
        except (TypeError, KeyError, IndexError):
            found = []
        texts = all(isinstance(text, str) for label in found for text in (label.name, *label.values))
        flags = all(isinstance(label.other, bool) for label in found)
        if not (found and texts and flags and type(first) is int and first >= 0):
            raise OptionError("a tokenizer's 'labels' have a 'first' token, and 'names' with 'values' and 'rare'")
        return cls(found, first)


def check_labels(given: object) -> dict[str, str]:
    """Return labels that a caller gave, as a dictionary; raises OptionError for anything else than texts.

    >>> check_labels({"section": 3})
    Traceback (most recent call last):
    genrun.errors.OptionError: labels are texts by name, such as {"section": "Opinion"}, not {'section': 3}
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise OptionError(f'labels are texts by name, such as {{"section": "Opinion"}}, not {shown(given)}')
    return dict(given)
