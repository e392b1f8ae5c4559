"""For tests of plugins: checks that a reader, a decoder or a constraint keeps its contract, and a tiny model.

    from genrun.testing import check_decoder

    def test_it_keeps_the_contract():
        check_decoder(NoRepeat(window=2))

A check that fails is an AssertionError with one line for each promise that is broken. pytest finds the fixtures
``tiny_model`` and ``tiny_corpus``, two paths, without an import (:mod:`genrun.testing.pytest_plugin`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genrun.testing.constraint_checks import check_constraint, constraint_outcomes
    from genrun.testing.decoder_checks import check_decoder, decoder_outcomes
    from genrun.testing.outcomes import BrokenContract, Outcome
    from genrun.testing.reader_checks import check_reader, reader_outcomes
    from genrun.testing.tiny import tiny_corpus, tiny_model

__all__ = [
    "BrokenContract",
    "Outcome",
    "check_constraint",
    "check_decoder",
    "check_reader",
    "constraint_outcomes",
    "decoder_outcomes",
    "reader_outcomes",
    "tiny_corpus",
    "tiny_model",
]

_HOME = {
    "BrokenContract": "outcomes",
    "Outcome": "outcomes",
    "check_constraint": "constraint_checks",
    "check_decoder": "decoder_checks",
    "check_reader": "reader_checks",
    "constraint_outcomes": "constraint_checks",
    "decoder_outcomes": "decoder_checks",
    "reader_outcomes": "reader_checks",
    "tiny_corpus": "tiny",
    "tiny_model": "tiny",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562): pytest imports this package for every project."""
    if name not in _HOME:
        raise AttributeError(f"module 'genrun.testing' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"genrun.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value
