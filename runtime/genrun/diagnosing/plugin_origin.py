"""Finds where a plugin was installed from, and words the remedy for a broken plugin."""

from __future__ import annotations

import functools
import shlex
from importlib import metadata

from genrun.checks.installation import origin_of
from genrun.checks.short_text import short_line

__all__ = ["installed_from", "remedy"]


@functools.lru_cache(maxsize=8)  # the plugins of a distribution are neighbours in the list
def installed_from(distribution: metadata.Distribution | None) -> str | None:
    """Return the folder, file or address that ``distribution`` was installed from; None for an index such as PyPI.

    Without a record of an installer, it is the folder that contains the distribution.
    """
    kind, where = origin_of(distribution)
    return None if kind == "index" else short_line(where)


def remedy(distribution: str, origin: str | None, file: str | None, raised_at: str | None) -> str:
    """Return the remedy for a broken plugin of ``distribution``, which was installed from ``origin``.

    >>> remedy("acme", None, None, "/site/acme.py:3")
    'pip install --upgrade acme, or pip uninstall acme  (it fails in /site/acme.py:3)'
    >>> remedy("acme", "/home/me/acme", "/home/me/acme/acme.py", None)
    'correct /home/me/acme/acme.py, or pip uninstall acme  (it is installed from /home/me/acme)'
    """
    name = shlex.quote(distribution)
    if origin is None:
        where = f"  (it fails in {raised_at})" if raised_at else f"  (it is in {file})" if file else ""
        return f"pip install --upgrade {name}, or pip uninstall {name}{where}"
    return f"correct {raised_at or file or origin}, or pip uninstall {name}  (it is installed from {origin})"
