"""genrun: small language models in one ONNX file, run anywhere with onnxruntime.

    import genrun

    model = genrun.load("headlines.onnx")
    print(model.generate("today in new york", seed=7))

Each name is imported on first use, so ``import genrun`` is instant.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from genrun.contracts import Decoder, Document, Reader, ReadReport
    from genrun.diagnosing.doctor import Finding, diagnose
    from genrun.errors import (
        CorpusError,
        DeviceError,
        ExportError,
        GenrunError,
        MissingExtraError,
        ModelFileError,
        OptionError,
        PluginError,
        PromptError,
        RunFolderError,
        TrainingError,
        TrainingInterrupted,
        UnknownPluginError,
    )
    from genrun.loading.device import DeviceWarning
    from genrun.model import Model, load
    from genrun.results import Result, UnknownWordsWarning
    from genrun.scoring.scores import Score
    from genrun.scoring.verification import VerificationReport, verify
    from genrun.suggesting.suggester import Suggestion
    from genrun.suggesting.typing_session import TypingSession
    from genrun.tokenizer import Tokenizer

__all__ = [
    "CorpusError",
    "Decoder",
    "DeviceError",
    "DeviceWarning",
    "Document",
    "ExportError",
    "Finding",
    "GenrunError",
    "MissingExtraError",
    "Model",
    "ModelFileError",
    "OptionError",
    "PluginError",
    "PromptError",
    "ReadReport",
    "Reader",
    "Result",
    "RunFolderError",
    "Score",
    "Suggestion",
    "Tokenizer",
    "TrainingError",
    "TrainingInterrupted",
    "TypingSession",
    "UnknownPluginError",
    "UnknownWordsWarning",
    "VerificationReport",
    "__version__",
    "diagnose",
    "load",
    "verify",
]

__version__ = "0.1.0"

_MODULES = {
    "genrun.contracts": ("Decoder", "Document", "ReadReport", "Reader"),
    "genrun.loading.device": ("DeviceWarning",),
    "genrun.diagnosing.doctor": ("Finding", "diagnose"),
    "genrun.errors": tuple(name for name in __all__ if name.endswith(("Error", "Interrupted"))),
    "genrun.model": ("Model", "load"),
    "genrun.results": ("Result", "UnknownWordsWarning"),
    "genrun.scoring.scores": ("Score",),
    "genrun.suggesting.suggester": ("Suggestion",),
    "genrun.tokenizer": ("Tokenizer",),
    "genrun.suggesting.typing_session": ("TypingSession",),
    "genrun.scoring.verification": ("VerificationReport", "verify"),
}
# What calls of a model need. A command imports it at its first use; a program that forks must have it before, since a
# child cannot import what another thread was importing at the fork.
_CALLS = (
    "genrun.scoring.scores",
    "genrun.scoring.token_scorer",
    "genrun.suggesting.subword_suggester",
    "genrun.suggesting.typing_session",
)
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'genrun' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    for module in _CALLS if _HOME[name] == "genrun.model" else ():
        import_module(module)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
