"""Normalization: a list of steps that change a text before it is split into tokens.

The steps are data (names and sets of characters, never patterns or code), so a model file can contain them, and a
stranger's file cannot run anything.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from genrun.checks.short_text import shorten
from genrun.errors import OptionError, nearest
from genrun.tokenizer.marks import edge_pattern, mark_edges

__all__ = ["STEPS", "Normalization"]

Transform = Callable[[str], str]

_MOST_STEPS = 64
_LONGEST_NAME = 60
_MOST_CHARACTERS = 100_000  # in all sets together
_MOST_GROWTH = 16  # a text may become this many times as long; isolating a character makes three of one
_SHORT = 1_024  # characters; a shorter text may grow as if it were this long
_MOST_MARKS = 128  # combining marks composed together, since that takes time in proportion to their square


def _lowercase() -> Transform:
    """Lower-case every letter."""
    return str.lower


def _nfc() -> Transform:
    """Compose accents and syllables (Unicode NFC), so that one text has one spelling.

    A run of more than 128 combining marks, which no language writes, is composed in parts.
    """
    return _composed


def _composed(text: str) -> str:
    if len(text) <= _MOST_MARKS:
        return unicodedata.normalize("NFC", text)
    parts, at = [], 0
    for run in _long_marks().finditer(text):
        parts.append(unicodedata.normalize("NFC", text[at : run.end()]))
        at = run.end()
    return "".join([*parts, unicodedata.normalize("NFC", text[at:])])


@functools.cache
def _long_marks() -> re.Pattern[str]:
    """Return a pattern for a run of _MOST_MARKS combining marks."""
    marks = "".join(map(chr, (code for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))))
    return re.compile(f"[{re.escape(marks)}]{{{_MOST_MARKS}}}")


def _drop_non_ascii() -> Transform:
    """Remove every character outside ASCII."""
    return lambda text: text.encode("ascii", "ignore").decode("ascii")


def _strip() -> Transform:
    """Remove white space at both ends."""
    return str.strip


def _collapse_spaces() -> Transform:
    """Turn every run of spaces into one."""
    pattern = re.compile(" {2,}")
    return lambda text: pattern.sub(" ", text)


def _remove(characters: str) -> Transform:
    """Remove the characters."""
    table = str.maketrans("", "", characters)
    return lambda text: text.translate(table)


def _space_out(characters: str) -> Transform:
    """Replace each of the characters by a space."""
    table = str.maketrans(dict.fromkeys(characters, " "))
    return lambda text: text.translate(table)


def _isolate(characters: str) -> Transform:
    """Put a space on both sides of each of the characters."""
    table = str.maketrans({character: f" {character} " for character in characters})
    return lambda text: text.translate(table)


def _isolate_edges(leading: str, trailing: str) -> Transform:
    """Separate the characters from the beginnings and ends of words, but not inside (``U.S.``, ``1,000``)."""
    pattern = edge_pattern(leading, trailing)
    return lambda text: pattern.sub(lambda match: f" {' '.join(match.group())} ", text)


def _keep(characters: str) -> Transform:
    """Replace every run of other characters by one space."""
    pattern = re.compile(f"[^{re.escape(characters)}]+")
    return lambda text: pattern.sub(" ", text)


# name → (constructor, the names of its character sets)
STEPS: dict[str, tuple[Callable[..., Transform], tuple[str, ...]]] = {
    "lowercase": (_lowercase, ()),
    "nfc": (_nfc, ()),
    "drop_non_ascii": (_drop_non_ascii, ()),
    "strip": (_strip, ()),
    "collapse_spaces": (_collapse_spaces, ()),
    "remove": (_remove, ("characters",)),
    "space_out": (_space_out, ("characters",)),
    "isolate": (_isolate, ("characters",)),
    "isolate_edges": (_isolate_edges, ("leading", "trailing")),
    "mark_edges": (mark_edges, ("leading", "trailing")),
    "keep": (_keep, ("characters",)),
}


class Normalization:
    """A checked list of steps, applied in order.

    >>> steps = [{"step": "lowercase"}, {"step": "isolate", "characters": "!"}]
    >>> Normalization(steps)("Hello!")
    'hello ! '

    Raises OptionError for an unknown step, for missing, empty or surplus sets of characters, and for more than 64
    steps or 100,000 characters. A call raises it for a text that becomes more than 16 times as long.
    """

    __slots__ = ("_transforms", "_with_case", "case_blind", "steps")

    def __init__(self, steps: Sequence[Mapping[str, str]]) -> None:
        if len(steps) > _MOST_STEPS:
            raise OptionError(f"a tokenizer has at most {_MOST_STEPS} normalization steps, not {len(steps):,}")
        self.steps: tuple[dict[str, str], ...] = tuple(dict(_checked(step)) for step in steps)
        if sum(len(value) for step in self.steps for value in step.values()) > _MOST_CHARACTERS:
            raise OptionError(f"the sets of normalization steps have more than {_MOST_CHARACTERS:,} characters")
        self._transforms = [_compile(step) for step in self.steps]
        named = zip(self.steps, self._transforms, strict=True)
        self._with_case = [transform for step, transform in named if step["step"] != "lowercase"]
        # Whether an ASCII text normalized is the result of with_case in lower case.
        self.case_blind = self.lowercases and _is_case_blind(self.steps)

    @property
    def opening_marks(self) -> frozenset[str] | None:
        """The leading marks of the steps ``mark_edges``; None if there is no such step."""
        sets = [step["leading"] for step in self.steps if step["step"] == "mark_edges"]
        return frozenset("".join(sets)) if sets else None

    @property
    def lowercases(self) -> bool:
        """Whether the case of letters is lost."""
        return any(step["step"] == "lowercase" for step in self.steps)

    def __call__(self, text: str) -> str:
        """Return ``text`` after all steps."""
        return _applied(self._transforms, text)

    def with_case(self, text: str) -> str:
        """Return ``text`` after all steps but ``lowercase``: the same words, as the corpus writes them."""
        return _applied(self._with_case, text)


def _applied(transforms: Sequence[Transform], text: str) -> str:
    most = _MOST_GROWTH * max(len(text), _SHORT)
    for transform in transforms:
        text = transform(text)
        if len(text) > most:
            raise OptionError(f"the tokenizer's normalization makes a text more than {_MOST_GROWTH} times as long")
    return text


def _checked(step: Mapping[str, str]) -> Mapping[str, str]:
    name = step.get("step") if isinstance(step, Mapping) else None
    if not isinstance(name, str):
        raise OptionError(f"a normalization step is a table with a 'step' name, not {shorten(repr(step))}")
    if name not in STEPS:
        raise OptionError(f"unknown normalization step {shorten(name)!r}; {nearest(name[:_LONGEST_NAME], STEPS)}")
    expected = STEPS[name][1]
    if set(step) - {"step"} != set(expected):
        takes = " and ".join(repr(field) for field in expected) or "nothing else"
        given = shorten(repr(sorted(map(str, set(step) - {"step"}))), 200)
        raise OptionError(f"normalization step {name!r} takes {takes}, not {given}")
    for field in expected:
        if not isinstance(step[field], str) or not step[field]:
            raise OptionError(f"normalization step {name!r}: {field} must be text of one character or more")
    return step


def _compile(step: Mapping[str, str]) -> Transform:
    make, fields = STEPS[step["step"]]
    return make(*(step[field] for field in fields))


def _is_case_blind(steps: Sequence[Mapping[str, str]]) -> bool:
    """Return whether the steps treat upper and lower case of ASCII letters alike: no set has only one of a and A."""
    sets = [step[field] for step in steps for field in STEPS[step["step"]][1]]
    letters = [{character for character in characters if character.isascii()} for characters in sets]
    return all({character.swapcase() for character in characters} == characters for characters in letters)
