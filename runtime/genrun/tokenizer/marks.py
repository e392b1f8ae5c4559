"""Marks parted from words so that it is known where they stood: a word joiner shows the side that was attached.

``“go”!`` becomes ``“⁠ go ⁠” ⁠!``, where each mark has U+2060 (WORD JOINER) on its attached side. So an opening mark, a
closing one and one that stands alone are three entries of a vocabulary, and text can be joined again without rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

__all__ = ["JOINER", "edge_pattern", "mark_edges", "opened", "without_joiners"]

_NEVER = 1 << 62
JOINER = "\u2060"  # the word joiner: invisible, and nothing that a person types
_CLOSING, _OPENING = f" {JOINER}", f"{JOINER} "


def mark_edges(leading: str, trailing: str) -> Callable[[str], str]:
    """Return a function that parts the marks ``leading`` and ``trailing`` from the beginnings and ends of words.

    An opening mark becomes the mark and JOINER, a closing one JOINER and the mark. A word of marks only becomes its
    first mark as it is, and then closing ones. A JOINER that is already in the text is dropped.

    >>> mark_edges("(", ").!")("(it) is $5!! :").replace(JOINER, "+")
    '(+ it +) is $5 +! +! :'
    """
    edges = edge_pattern(leading, trailing)
    return lambda text: edges.sub(_marked, text.replace(JOINER, ""))


def edge_pattern(leading: str, trailing: str) -> re.Pattern[str]:
    """Return a pattern for the marks at the beginning (``leading``) or the end (``trailing``) of a word.

    The group that has matched tells which: 1 a word of only these marks, 2 its beginning, 3 its end. Each is tried
    once for each word, so a long run takes linear time. The pattern begins with the marks themselves, and looks back
    after that: so the search passes other characters fast.

    >>> [match.lastindex for match in edge_pattern("(", ").!").finditer("(it) is $5!! !!")]
    [2, 3, 3, 1]
    """
    first, last = re.escape(leading), re.escape(trailing)
    at_the_beginning = rf"(?<!\S.)(?:([{first}{last}]*+)(?!\S)|(?<=[{first}])([{first}]*+))"
    at_the_end = rf"(?<=[{last}])(?<![{last}].)([{last}]*+)(?!\S)"
    return re.compile(rf"[{first}{last}](?:{at_the_beginning}|{at_the_end})", re.DOTALL)


def _marked(match: re.Match[str]) -> str:
    if match.lastindex == 3:
        return _CLOSING + _CLOSING.join(match[0])
    if match.lastindex == 2:
        return _OPENING.join(match[0]) + _OPENING
    return _CLOSING.join(match[0])


def without_joiners(piece: str) -> str:
    """Return ``piece`` as it is shown.

    >>> without_joiners(JOINER + "!")
    '!'
    """
    return piece.replace(JOINER, "")


def opened(pieces: Sequence[str], leading: frozenset[str], ids: Mapping[str, int]) -> list[str]:
    """Return the ``pieces`` of a text that goes on without white space: marks that it ends with may be opening ones.

    If the last word is only marks of ``leading``, they open, unless the vocabulary ``ids`` has the first one alone
    more often (with a lower id).

    >>> [piece.replace(JOINER, "+") for piece in opened(["he", '"'], frozenset('"'), {'"' + JOINER: 4, '"': 9})]
    ['he', '"+']
    """
    words = [at for at, piece in enumerate(pieces) if not piece.startswith(JOINER)]
    at = words[-1] if words else len(pieces)
    marks = [piece.removeprefix(JOINER) for piece in pieces[at:]]
    if not marks or not leading.issuperset(marks):
        return list(pieces)
    if ids.get(marks[0], _NEVER) < ids.get(marks[0] + JOINER, _NEVER):
        return list(pieces)
    return [*pieces[:at], *(mark + JOINER for mark in marks)]
