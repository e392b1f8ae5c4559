"""Texts whose marks a tokenizer must give back as people write them."""

from __future__ import annotations

__all__ = ["WRITTEN"]

WRITTEN = [
    'To "The" Game Of Thrones',
    "*NSYNC",
    "$$$ Working",
    "5'5\" Will",
    'head!"',
    "“It’s Screaming’",
    "The U.S. and U.K.",
    "(a) b",
    "¿Qué?",
    "$5, 10% off…",
]
