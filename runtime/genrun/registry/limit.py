"""The environment variable GENRUN_PLUGINS: which of the installed plugins may be used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from genrun.checks.short_text import shown
from genrun.errors import nearest

__all__ = ["VARIABLE", "Limit", "PluginLimitWarning", "current_limit", "normalized"]

VARIABLE = "GENRUN_PLUGINS"


class PluginLimitWarning(UserWarning):
    """GENRUN_PLUGINS names what is not installed."""


class Limit(NamedTuple):
    """The names that GENRUN_PLUGINS lists: of distributions, of plugins, or ``distribution:name``.

    >>> limit = Limit.of("Acme_Decoders, hello")
    >>> limit.admits("acme-decoders", "lowest"), limit.admits("other", "hello"), limit.admits("other", "x")
    (True, True, False)
    >>> Limit.of("").admits("acme-decoders", "lowest")
    False
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Limit:
        """Return the limit that is written as ``text``: names with commas or white space between them."""
        return cls(tuple(re.split(r"[\s,]+", text.strip(", \t\r\n")) if text.strip(", \t\r\n") else ()))

    def admits(self, distribution: str, name: str) -> bool:
        """Return whether the plugin ``name`` of a third-party ``distribution`` may be used."""
        accepted = {name, distribution, f"{distribution}:{name}"}
        return any(each in accepted or normalized(each) == distribution for each in self.names)

    def unknown(self, offered: Iterable[tuple[str, str]]) -> list[str]:
        """Return a message for each name that fits none of the ``offered`` pairs of distribution and plugin name."""
        pairs = list(offered)
        known = {name for pair in pairs for name in pair if pair[0] != "genrun"}
        return [
            f"{VARIABLE} names {shown(each)}, which no installed package offers; {nearest(each, known)}"
            for each in self.names
            if not any(Limit((each,)).admits(*pair) for pair in pairs)
        ]


def current_limit() -> Limit | None:
    """Return the limit of the environment; None if GENRUN_PLUGINS is not set, so that every plugin may be used."""
    text = os.environ.get(VARIABLE)
    return None if text is None else Limit.of(text)


def normalized(name: str) -> str:
    """Return the name of a distribution as package indexes compare it (PEP 503).

    >>> normalized("Acme_Decoders")
    'acme-decoders'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
