"""What authors of plugins import: this module is public and stable; everything that it does not name is private.

    from genrun.plugins import CorpusFile, FileReader

Each name is imported on first use, so that a plugin imports what it needs and nothing else. ``CONTRACT`` is the
number of the contract that the documentation of this version describes; a plugin names the one that it was written
for: ``contract = 2``.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from genrun.contracts import (
        Chooser,
        ConstraintPart,
        Decoder,
        Document,
        Fold,
        ForModel,
        ParametricDecoder,
        Preset,
        PromptedPart,
        Reader,
        ReadReport,
        Stage,
        Vocabulary,
        options,
    )
    from genrun.contracts.version import CONTRACT, OLDEST
    from genrun.errors import CorpusError, GenrunError, MissingExtraError, OptionError, PluginError, PromptError
    from genrun.reading import CorpusFile, FileReader
    from genrun.reading.sources import expand
    from genrun.registry import make_constraint, make_decoder, make_reader
    from genrun.registry.in_process import constraint, decoder, reader
    from genrun.sampling import Candidates, automata, inverse_cdf, log_normalizers, own_draws, top_k, top_p
    from genrun.sampling.automata import Automaton, Lexicon, Opening

__all__ = [
    "CONTRACT",
    "OLDEST",
    "Automaton",
    "Candidates",
    "Chooser",
    "ConstraintPart",
    "CorpusError",
    "CorpusFile",
    "Decoder",
    "Document",
    "FileReader",
    "Fold",
    "ForModel",
    "GenrunError",
    "Lexicon",
    "MissingExtraError",
    "Opening",
    "OptionError",
    "ParametricDecoder",
    "PluginError",
    "Preset",
    "PromptError",
    "PromptedPart",
    "ReadReport",
    "Reader",
    "Stage",
    "Vocabulary",
    "automata",
    "constraint",
    "decoder",
    "expand",
    "inverse_cdf",
    "log_normalizers",
    "make_constraint",
    "make_decoder",
    "make_reader",
    "options",
    "own_draws",
    "reader",
    "top_k",
    "top_p",
]

_MODULES = {
    "genrun.contracts": (
        *("Chooser", "ConstraintPart", "Decoder", "Document", "Fold", "ForModel", "ParametricDecoder", "Preset"),
        "PromptedPart",
        *("ReadReport", "Reader", "Stage", "Vocabulary"),
    ),
    "genrun.contracts.version": ("CONTRACT", "OLDEST"),
    "genrun.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "genrun.reading": ("CorpusFile", "FileReader"),
    "genrun.registry.in_process": ("constraint", "decoder", "reader"),
    "genrun.registry": ("make_constraint", "make_decoder", "make_reader"),
    "genrun.sampling": ("Candidates", "inverse_cdf", "log_normalizers", "own_draws", "top_k", "top_p"),
    "genrun.sampling.automata": ("Automaton", "Lexicon", "Opening"),
    "genrun.reading.sources": ("expand",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
_WHOLE = {"automata": "genrun.sampling.automata", "options": "genrun.contracts.options"}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name in _WHOLE:
        value: object = import_module(_WHOLE[name])
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'genrun.plugins' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
