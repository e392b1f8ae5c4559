"""Reads an expression over words: ``the (old|new) _ of _+``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from genrun.errors import OptionError
from genrun.sampling.automata import Choice, Expression, Repeat, Sequence

__all__ = ["parse_expression"]

_PART = re.compile(
    r"\s*(?:(?P<mark>[()|])|(?P<times>[*+?]|\{\d{0,4}(?:,\d{0,4})?\})|(?P<word>[^\s()|*+?{}]+)|(?P<bad>\S))"
)
_MOST = 1_000  # repetitions


class _Part(NamedTuple):
    kind: str
    text: str
    at: int


def parse_expression(text: str, token: Callable[[str], Expression]) -> Expression:
    """Return the expression that ``text`` stands for; ``token`` returns that of a word, of ``_`` or of ``/``.

    expression = sequence { "|" sequence }
    sequence   = { part [ "*" | "+" | "?" | "{n}" | "{n,m}" ] }
    part       = word | "_" | "/" | "(" expression ")"

    Raises OptionError, which names the character, for a text that is not written so.
    """
    parts = []
    for match in _PART.finditer(text):
        parts.append(_Part(str(match.lastgroup), match[match.lastgroup or 0], match.start(match.lastgroup or 0) + 1))
    parts.append(_Part("end", "", len(text) + 1))
    reader = _Reader(parts, token)
    found = reader.expression()
    if reader.next.kind != "end":
        raise _wrong(reader.next, f"there is no place for {reader.next.text!r}")
    return found


class _Reader:
    def __init__(self, parts: list[_Part], token: Callable[[str], Expression]) -> None:
        self._parts, self._token, self._at, self._depth = parts, token, 0, 0

    @property
    def next(self) -> _Part:
        return self._parts[self._at]

    def expression(self) -> Expression:
        found = [self._sequence()]
        while self.next.text == "|":
            self._at += 1
            found.append(self._sequence())
        return found[0] if len(found) == 1 else Choice(found)

    def _sequence(self) -> Expression:
        found = list[Expression]()
        while self.next.kind == "word" or self.next.text == "(":
            part = self._part()
            while self.next.kind == "times":
                part = self._repeated(part)
            found.append(part)
        return found[0] if len(found) == 1 else Sequence(found)

    def _part(self) -> Expression:
        part = self.next
        self._at += 1
        if part.kind == "word":
            try:
                return self._token(part.text)
            except OptionError as error:
                raise _wrong(part, str(error)) from error
        self._depth += 1
        if self._depth > 50:
            raise _wrong(part, "too many brackets are open")
        found = self.expression()
        if self.next.text != ")":
            raise _wrong(self.next, f"the bracket of character {part.at} is not closed")
        self._at += 1
        self._depth -= 1
        return found

    def _repeated(self, part: Expression) -> Expression:
        times = self.next
        self._at += 1
        if times.text in "*+?":
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[times.text]
            return Repeat(part, least, most)
        low, comma, high = times.text[1:-1].partition(",")
        if not low and not high:
            raise _wrong(times, "write {n} or {n,m}")
        least, most = int(low or 0), int(high) if high else None if comma else int(low)
        if (most is not None and most < least) or max(least, most or 0) > _MOST:
            raise _wrong(times, f"{times.text} is no range of at most {_MOST:,} times")
        return Repeat(part, least, most)


def _wrong(part: _Part, what: str) -> OptionError:
    return OptionError(f"character {part.at} of the text: {what}")
