"""The version of the contract between genrun and its plugins: a whole number, which a plugin may name.

1. The first contract. A plugin that names no number was written for it.
2. ``choose`` gets read-only logits; a reader counts every record, and may have an ``example``.

A newer contract adds a number here; what differs is asked where it matters, by :func:`genrun.registry.contract_of`.
"""

from __future__ import annotations

import genrun
from genrun.checks.short_text import shown

__all__ = ["CONTRACT", "FIRST", "OLDEST", "refusal"]

FIRST = 1  # of a plugin that names none
OLDEST = 1  # that still works
CONTRACT = 2  # the newest


def refusal(contract: object, distribution: str = "") -> str | None:
    """Return why a plugin that was written for ``contract`` cannot be used and what to do; None if it can.

    ``distribution``: who ships it, for the remedy; "" if that is not known.

    >>> refusal(CONTRACT) is None, refusal(OLDEST) is None
    (True, True)
    >>> refusal("two")
    "has the contract 'two'; a contract is a whole number from 1"
    """
    if isinstance(contract, bool) or not isinstance(contract, int) or contract < FIRST:
        return f"has the contract {shown(contract)}; a contract is a whole number from {FIRST}"
    known = f"{OLDEST} to {CONTRACT}" if OLDEST < CONTRACT else f"{CONTRACT}"
    ours = f"was written for contract {contract}, and this genrun ({genrun.__version__}) works with {known}"
    if contract > CONTRACT:
        from genrun.checks.installation import upgrade_line

        return f"{ours}: {upgrade_line()}"
    if contract < OLDEST:
        newer = f"pip install --upgrade {distribution}" if distribution else "its author must adapt it"
        return f"{ours}: {newer}"
    return None
