"""Cuts a text into the pieces that subwords are parts of: words with the space before them, marks, line breaks.

The rules name ranges of characters, not properties of Unicode, so no piece depends on the Unicode version of a
Python or of another program. The pieces of a text join to the text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

__all__ = ["cut", "open_piece", "with_line_starts", "without_line_starts"]

_ASCII_MARKS = r"\x00-\x09\x0b\x0c\x0e-\x1f!-/:-@\[-`{-\x7f"
# Marks and symbols outside ASCII.
_MARKS = (
    "\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7"
    "\u037e\u0387\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4"
    "\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4\u06dd\u0700-\u070d\u0964\u0965\u0970"
    "\u0e3f\u0e4f\u0e5a\u0e5b\u0f04-\u0f14\u0f3a-\u0f3d\u104a-\u104f\u10fb\u1360-\u1368\u1680\u169b\u169c\u16eb-\u16ed"
    "\u17d4-\u17db\u1800-\u180a\u2000-\u200b\u200e-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f"
    "\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\u30a0\u30fb"
    "\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff"
    "\U0001f000-\U0001faff"
)
# Letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
_SPACELESS = (
    "\u0e01-\u0e3e\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0eff\u1000-\u1049\u1050-\u109f\u1780-\u17d3\u17dc-\u17ff"
    "\u2e80-\u2fff\u3005-\u3007\u3021-\u302f\u3031-\u303c\u3041-\u309f\u30a1-\u30fa\u30fc-\u312f\u3190-\ua4cf"
    "\uf900-\ufaff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_WIDE_MARKS = "\u3000-\u303f\u30a0\u30fb\ufe30-\ufe4f\uff00-\uffef"
# Joiners and variants of the character before, also of a mark: an emoji may be several characters.
_JOINERS = "\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e0fff"

_WORD = rf"[^{_ASCII_MARKS}\n\r 0-9{_MARKS}{_SPACELESS}]"
_LETTER = "x"  # of a word


@functools.cache
def _pieces() -> re.Pattern[str]:
    return re.compile(
        rf" ?{_WORD}+(?:['’]{_WORD}+)*"  # don’t is one word
        rf"| ?[{_SPACELESS}][{_SPACELESS}{_JOINERS}]*"
        r"| ?[0-9]+"
        rf"| ?[{_ASCII_MARKS}{_MARKS}][{_ASCII_MARKS}{_MARKS}{_JOINERS}]*"
        r"|\r?\n|\r"
        r"| +(?= )| "  # the last one of several spaces belongs to what follows
    )


@functools.cache
def _line_starts() -> re.Pattern[str]:
    return re.compile(rf"^(?=[^\r\n{_SPACELESS}{_WIDE_MARKS}])", re.MULTILINE)


def cut(text: str) -> list[str]:
    """Return the pieces of ``text``, which join to it.

    A piece is a word, a run of digits, a run of marks, or a run of letters of scripts that are written without
    spaces, each with one space before it; or further spaces; or a line break.

    >>> cut("It isn’t  2018, is it?")
    ['It', ' isn’t', ' ', ' 2018', ',', ' is', ' it', '?']
    >>> cut("今天天气很好。iPhone手机")
    ['今天天气很好', '。', 'iPhone', '手机']
    """
    return _pieces().findall(text)


def with_line_starts(text: str) -> str:
    r"""Return ``text`` with a space at the beginning of each line, so that its first word is like any other.

    Empty lines get none, nor lines that begin in a script that is written without spaces.

    >>> with_line_starts("the sea\n\n the sky\n海")
    ' the sea\n\n  the sky\n海'
    """
    return _line_starts().sub(" ", text)


def without_line_starts(text: str, *, at_start: bool) -> str:
    r"""Return ``text`` without one space at the beginning of each line, the inverse of :func:`with_line_starts`.

    ``at_start``: ``text`` begins a line.

    >>> without_line_starts(" the sea\n\n  the sky\n海", at_start=True)
    'the sea\n\n the sky\n海'
    """
    return (text[1:] if at_start and text[:1] == " " else text).replace("\n ", "\n")


def open_piece(pieces: Sequence[str]) -> tuple[list[str], str]:
    """Return the finished ones of ``pieces`` and the last one, which further text may belong to.

    >>> open_piece([" I", " don", "’"])  # t
    ([' I'], ' don’')
    """
    before, ending = list(pieces[:-2]), pieces[-2:]
    *finished, last = cut("".join(ending) + _LETTER)
    opened = last.removesuffix(_LETTER)
    if not opened:  # a letter would not join the last piece; another mark or digit might
        return [*before, *finished[:-1]], finished[-1] if finished else ""
    return [*before, *finished], opened
