"""A chain as text: ``min-p:0.05,temperature:0.8``.

    chain  = stage { "," stage }
    stage  = name [ ":" option { ";" option } ]
    option = [ option name "=" ] value            without its name: the first option of the stage
    value  = text, or "text in quotation marks", or ["a list", "of texts"] as in JSON

White space around any part is left out. In quotation marks, a comma, a colon and the like are plain characters, and
a backslash stands before a quotation mark or a backslash. ``distribution:name`` is a name too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from genrun.errors import OptionError

__all__ = ["Link", "has_marks", "parse", "place", "spell"]

_PLAIN = re.compile(r'[^\s,:;="\[\]\\](?:[^,:;="\[\]\\]*[^\s,:;="\[\]\\])?')


_NO_OPTIONS: Mapping[str, Any] = {}


class Link(NamedTuple):
    """A stage or chooser of a chain by name, with its options; the key "" is its first option.

    ``at``: the character of the text, from 1, at which it begins, and ``places`` those of its options; 0 if it was
    not written as text.
    """

    name: str
    options: Mapping[str, Any] = _NO_OPTIONS
    at: int = 0
    places: Mapping[str, int] = _NO_OPTIONS


def has_marks(text: str) -> bool:
    """Return whether ``text`` has a mark of the grammar, and so is a chain or a full name.

    >>> has_marks("top-k"), has_marks("genrun:top-k"), has_marks("top-k:40")
    (False, True, True)
    """
    return any(mark in text for mark in ',:;="')


def parse(text: str, is_name: Callable[[str], bool], what: str = "stage") -> list[Link]:
    """Return the links of a chain, or the parts of a constraint, written as ``text``.

    ``is_name`` returns whether a text such as ``genrun:top-k`` is a plugin's full name. ``what``: what messages call
    a link. Raises OptionError, which names the number of the link and the character.

    >>> [(link.name, link.options) for link in parse("xtc:0.1;probability=0.5, greedy", lambda name: False)]
    [('xtc', {'': '0.1', 'probability': '0.5'}), ('greedy', {})]
    """
    links = []
    for number, (start, part) in enumerate(_split(text, 0, text, ","), 1):
        links.append(_link(text, f"{what} {number}", start, part, is_name))
    return links


def _link(text: str, label: str, start: int, part: str, is_name: Callable[[str], bool]) -> Link:
    what = label.partition(" ")[0]
    pieces = list(_split(part, start, text, ":"))
    at, name = pieces[0][0] + 1, pieces[0][1].strip()
    if not name:
        raise OptionError(f"{place(text, label, at)}: the name of a {what} is missing")
    rest = pieces[1:]
    if rest and is_name(full := f"{name}:{rest[0][1].strip()}"):
        name, rest = full, rest[1:]
    if len(rest) > 1:
        rule = "a colon stands between a name and its options; write a value with a colon in quotation marks"
        raise OptionError(f"{place(text, label, rest[1][0])}: {rule}")
    options, places = dict[str, Any](), dict[str, int]()
    for position, (begin, option) in enumerate(_split(rest[0][1], rest[0][0], text, ";") if rest else ()):
        key, written, value_at = "", option, begin
        parts = list(_split(option, begin, text, "="))
        if len(parts) > 1:
            key, value_at = parts[0][1].strip(), parts[1][0]
            written = text[value_at : begin + len(option)]
        where = value_at + len(written) - len(written.lstrip()) + 1
        if not key and (position or len(parts) > 1):
            raise OptionError(f"{place(text, label, where)}: only the first option may be without its name=")
        if key in options:
            raise OptionError(f"{place(text, label, where)}: the option {key!r} is there twice")
        options[key], places[key] = _value(text, label, where, written.strip()), where
    return Link(name, options, at, places)


def place(text: str, label: str, at: int) -> str:
    """Return the words that begin the message for a mistake in the link ``label`` of a chain, at a character.

    >>> place("min-p:2", "stage 1", 7)
    "stage 1, character 7 of 'min-p:2'"
    """
    shown = text if len(text) <= 200 else f"{text[:197]}…"
    return f"{label}, character {at} of {shown!r}"


def spell(links: Sequence[Link]) -> str:
    """Return the text of a chain, the inverse of :func:`parse`.

    >>> spell([Link("min-p", {"p": 0.05}), Link("banned", {"phrases": ["the sea"]}), Link("greedy")])
    'min-p:p=0.05,banned:phrases=["the sea"],greedy'
    """
    return ",".join(
        link.name + "".join(f"{';' if i else ':'}{_option(*each)}" for i, each in enumerate(link.options.items()))
        for link in links
    )


def _option(name: str, value: object) -> str:
    if value is None:
        written = "none"
    elif isinstance(value, bool):
        written = "true" if value else "false"
    elif isinstance(value, (list, tuple)):
        written = json.dumps(list(value), ensure_ascii=False)
    elif isinstance(value, str) and not _PLAIN.fullmatch(value):
        written = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        written = str(value)
    return f"{name}={written}" if name else written


def _split(part: str, start: int, text: str, mark: str) -> Iterator[tuple[int, str]]:
    """Yield the pieces of ``part`` between ``mark`` outside quotation marks and brackets, with their places."""
    begin, depth, quoted, escaped = 0, 0, False, False
    for i, character in enumerate(part):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
        elif character == mark and not depth:
            yield start + begin, part[begin:i]
            begin = i + 1
    if quoted or depth:
        what = "a quotation mark is missing" if quoted else "the brackets do not match"
        raise OptionError(f"character {start + len(part)} of {text!r}: {what}")
    piece = part[begin:]
    yield start + begin + (len(piece) - len(piece.lstrip()) if piece.strip() else 0), piece.lstrip()


def _value(text: str, label: str, where: int, written: str) -> Any:
    if not written:
        raise OptionError(f"{place(text, label, where)}: a value is missing")
    if written[0] == "[":
        try:
            parts = json.loads(written)
        except (ValueError, RecursionError):
            parts = None
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise OptionError(f'{place(text, label, where)}: a list is written ["one", "two"]')
        return parts
    if written[0] != '"':
        return written
    if len(written) < 2 or not re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', written, re.DOTALL):
        raise OptionError(f"{place(text, label, where)}: a value ends with its quotation mark")
    return re.sub(r'\\(["\\])', r"\1", written[1:-1])
