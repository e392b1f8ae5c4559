"""Makes a stranger's text safe for a terminal: readable in every script, on one line, without control characters."""

from __future__ import annotations

import re

__all__ = ["UNSAFE", "escape_json", "printable", "quoted"]

# Control characters (C0 with tab and line break, DEL, C1), separators of lines and paragraphs, embeddings, overrides
# and isolates of the writing direction, deprecated format characters, annotations, and lone surrogates. Joiners,
# variation selectors, spaces of any width and the marks U+200E, U+200F and U+061C stay: scripts need them, and a mark
# can do no more than a letter of its direction.
UNSAFE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]"


def printable(text: str) -> str:
    r"""Return ``text`` with a Python escape for every character that could control a terminal or end the line.

    All other characters are unchanged. The result is one line and can be encoded in UTF-8.

    >>> printable("one\n\x1b[2Jtwo")
    'one\\n\\x1b[2Jtwo'
    """
    return text if text.isprintable() else re.sub(UNSAFE, _escaped, text)


def quoted(text: str) -> str:
    r"""Return ``text`` in quotation marks, as ``repr`` does, but readable in every script.

    >>> print(quoted("it's\n"), quoted("\N{ZERO WIDTH NON-JOINER}") == "'\N{ZERO WIDTH NON-JOINER}'")
    "it's\n" True
    """
    mark = '"' if "'" in text and '"' not in text else "'"
    return mark + printable(text.replace("\\", "\\\\").replace(mark, f"\\{mark}")) + mark


def escape_json(document: str) -> str:
    r"""Return a JSON document with the same characters escaped as JSON: it stays valid and means the same.

    >>> print(escape_json('["\x9b", "\N{RIGHT-TO-LEFT OVERRIDE}"]'))
    ["\u009b", "\u202e"]
    """
    return document if document.isprintable() else re.sub(UNSAFE, _escaped_in_json, document)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "backslashreplace").decode()


def _escaped_in_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
