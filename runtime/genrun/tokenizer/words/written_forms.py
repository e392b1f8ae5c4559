"""How the corpus writes its lower-cased words: capitalized, in upper case, or in a way of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from genrun.errors import OptionError

__all__ = ["FORMS", "WrittenForms"]

FORMS: dict[str, Callable[[str], str]] = {
    ".": lambda word: word,
    "C": lambda word: word[:1].title() + word[1:],
    "U": str.upper,
}


class WrittenForms(NamedTuple):
    """How the corpus writes its lower-cased words, for the casing ``corpus``.

    ``forms``: one letter for each vocabulary entry: ``.`` unchanged, ``C`` capitalized, ``U`` upper case, ``*``
    listed in ``others`` by id. ``capitalize_first``: documents begin with a capital letter.
    """

    forms: str = ""
    others: Mapping[int, str] | None = None
    capitalize_first: bool = False

    def write(self, token: int, word: str) -> str:
        """Return ``word``, with the id ``token``, as the corpus writes it."""
        form = self.forms[token] if token < len(self.forms) else "."
        if form == "*":
            return (self.others or {}).get(token, word)
        return FORMS[form](word)

    def extended(self, size: int, other: WrittenForms, tokens: Sequence[int]) -> WrittenForms:
        """Return these forms for ``size`` entries, followed by the forms that ``other`` has for its ``tokens``."""
        padded = dict(enumerate(tokens, size))
        new = "".join(other.forms[token] if token < len(other.forms) else "." for token in tokens)
        others = {n: (other.others or {})[token] for n, token in padded.items() if token in (other.others or {})}
        forms = self.forms.ljust(size, ".") + new if self.forms or new.strip(".") else ""
        return WrittenForms(forms, {**(self.others or {}), **others}, self.capitalize_first)

    def to_json(self) -> dict[str, Any]:
        """Return the forms as a JSON-ready dictionary."""
        return {
            "forms": self.forms,
            "others": {str(token): word for token, word in (self.others or {}).items()},
            "capitalize_first": self.capitalize_first,
        }

    @classmethod
    def from_json(cls, value: object, size: int) -> WrittenForms:
        """Return the forms of a dictionary from :meth:`to_json`; no forms if it is none.

        Raises OptionError if they do not fit a vocabulary of ``size``.
        """
        if not isinstance(value, dict):
            return cls()
        forms, others = value.get("forms", ""), value.get("others", {})
        fits = isinstance(forms, str) and len(forms) <= size and bool(re.fullmatch(r"[.CU*]*", forms))
        if not fits or not isinstance(others, dict) or len(others) > size:
            raise OptionError("a tokenizer's 'written' forms do not fit its vocabulary")
        if not all(re.fullmatch(r"[0-9]{1,9}", k) and isinstance(v, str) for k, v in others.items()):
            raise OptionError("a tokenizer's 'written' forms do not fit its vocabulary")
        words = {int(token): word for token, word in others.items()}
        return cls(forms, words, bool(value.get("capitalize_first")))
