"""Every error that genrun raises on purpose, one tree, so that ``except GenrunError`` catches them all.

    GenrunError
    ├── ModelFileError        a file that is not a model file, or one that this version cannot read
    ├── CorpusError           a text source that cannot be read, or that holds nothing usable
    ├── OptionError           a value that is not accepted                     (also ValueError)
    │   └── PromptError           a prompt that cannot be continued
    ├── UnknownPluginError    a name that no installed plugin offers           (also LookupError)
    ├── PluginError           a plugin that is broken, ambiguous or misbehaves
    ├── DeviceError           a device that cannot be used
    ├── RunFolderError        a folder that is not a run folder, or cannot be continued
    ├── TrainingError         a training that cannot start or go on
    │   └── TrainingInterrupted   one that was asked to stop, and saved
    ├── ExportError           a model that failed the checks of its export
    └── MissingExtraError     an optional dependency that is not installed     (also ImportError)

A message is one line and says what was wrong, what is accepted, and in which file and line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CorpusError",
    "DeviceError",
    "ExportError",
    "GenrunError",
    "MissingExtraError",
    "ModelFileError",
    "OptionError",
    "PluginError",
    "PromptError",
    "RunFolderError",
    "TrainingError",
    "TrainingInterrupted",
    "UnknownPluginError",
    "close_matches",
    "nearest",
    "one_line",
]


_LONGEST_NAME = 200  # that a name is looked for


class GenrunError(Exception):
    """Base of all errors that a user or their data can cause."""


class ModelFileError(GenrunError):
    """A model file is missing, damaged, foreign, or of a newer format."""


class CorpusError(GenrunError):
    """A corpus cannot be read or yields no usable document."""


class OptionError(GenrunError, ValueError):
    """An option has an unknown name or a value that is not accepted."""


class PromptError(OptionError):
    """A prompt is no text, or leaves nothing to begin from: the text is to blame, not an option."""


class UnknownPluginError(GenrunError, LookupError):
    """No installed distribution offers a plugin of that name."""


class PluginError(GenrunError):
    """A plugin failed to import, is offered twice, or broke its contract."""


class DeviceError(GenrunError):
    """The requested device cannot be used."""


class RunFolderError(GenrunError):
    """A folder is not a run folder, or does not fit what is asked of it."""


class TrainingError(GenrunError):
    """A training cannot start or go on."""


class TrainingInterrupted(TrainingError):
    """A training was asked to stop, by Ctrl-C or SIGTERM; it has saved and can be resumed."""


class ExportError(GenrunError):
    """A trained model could not be turned into a verified model file."""


class MissingExtraError(GenrunError, ImportError):
    """An optional dependency is not installed; ``extra`` names the pip extra that brings it."""

    def __init__(self, what: str, extra: str, alternative: str | None = None) -> None:
        other = f" (or 'genrun[{alternative}]')" if alternative else ""
        super().__init__(f"{what}: pip install 'genrun[{extra}]'{other}")
        self.extra = extra


def nearest(name: object, accepted: Iterable[str]) -> str:
    """Return a hint for a mistyped ``name``: the close matches if there are any, else all accepted names.

    >>> nearest("gredy", ["greedy", "top-k"])
    "did you mean 'greedy'?"
    >>> nearest("x", ["greedy", "top-k"])
    'accepted: greedy, top-k'
    """
    names = sorted(accepted)
    if close := close_matches(name, names):
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "accepted: " + (", ".join(names) or "none")


def close_matches(name: object, accepted: Iterable[str]) -> list[str]:
    """Return at most three of the ``accepted`` names that ``name`` is nearly, the nearest first."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:  # comparing takes the product of the lengths
        return []
    return difflib.get_close_matches(name, list(accepted), n=3, cutoff=0.6)


def one_line(error: BaseException) -> str:
    """Return an exception's message folded onto one line, with its type when the message says nothing.

    >>> one_line(ValueError("first\\n  second"))
    'first second'
    >>> one_line(KeyError())
    'KeyError'
    """
    text = " ".join(str(error).split())
    return text or type(error).__name__
