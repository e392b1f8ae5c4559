"""Links of Markdown pages: where they are, what they point at, and the anchors of headings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

__all__ = ["anchor", "anchors", "links", "replace_links", "target"]

_CODE = r"^ *```.*?^ *```$|`(?:[^`\n]|\n(?!\n))*`"
_LINK = re.compile(rf"(?P<code>{_CODE})|(?P<text>\]\()(?P<target>[^()\s]+)\)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def replace_links(page: str, replace: Callable[[str], str]) -> str:
    """Return a page with each target of a link replaced; code is left as it is.

    >>> replace_links("[a](a.md), `[b](b.md)`", str.upper)
    '[a](A.MD), `[b](b.md)`'
    """
    return _LINK.sub(lambda found: found[0] if found["code"] else f"]({replace(found['target'])})", page)


def links(page: str) -> Iterator[str]:
    """Yield the targets of links and images that are relative, with their anchors.

    >>> list(links("[a](a.md#b), ![c](c.svg), [d](https://example.org), `[e](e.md)`"))
    ['a.md#b', 'c.svg']
    """
    for found in _LINK.finditer(page):
        if not found["code"] and not re.match(r"[a-z]+:", found["target"]):
            yield found["target"]


def target(link: str, place: str) -> tuple[str, str]:
    """Return the path from the top of the repository that a link on the page at ``place`` has, and its anchor.

    >>> target("../README.md#install", "docs/train.md"), target("#install", "README.md")
    (('README.md', 'install'), ('README.md', 'install'))
    """
    path, _, fragment = link.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path)) if path else place, fragment


def anchor(heading: str, separator: str = "-") -> str:
    """Return the anchor of a heading, as the viewers of repositories make it.

    >>> anchor("Forks, threads, interpreters"), anchor("`genrun try`")
    ('forks-threads-interpreters', 'genrun-try')
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def anchors(page: str) -> list[str]:
    """Return the anchors of a page's headings, in order.

    >>> anchors("# Title\\n```\\n# a comment\\n```\\n## A part\\n")
    ['title', 'a-part']
    """
    return [anchor(found[1]) for found in _HEADING.finditer(_FENCED.sub("", page))]
