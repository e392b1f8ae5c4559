"""The errors that genrun raises on purpose: one tree, so that ``except GenrunError`` catches them all.

    GenrunError
    ├── ModelFileError        a file that is not a model file, or one that this version cannot read
    ├── CorpusError           a text source that cannot be read, or that holds nothing usable
    ├── OptionError           a value that is not accepted                     (also ValueError)
    │   └── PromptError           a text that cannot be read, or gives nothing to begin from
    ├── UnknownPluginError    a name that no installed plugin offers           (also LookupError)
    ├── PluginError           a plugin that is broken, ambiguous or misbehaves
    ├── DeviceError           a device that cannot be used
    ├── RunFolderError        a folder that is not a run folder, or cannot be continued
    ├── TrainingError         a training that cannot start or go on
    │   └── TrainingInterrupted   one that was asked to stop, and saved
    ├── ExportError           a model that failed the checks of its export
    └── MissingExtraError     an optional dependency that is not installed     (also ImportError)

A message is one line: what was wrong, what is accepted, and in which file and line.
"""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable

from genrun.checks.short_text import CHARACTERS, class_name, short_line

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
    "cause",
    "close_matches",
    "nearest",
    "one_line",
]

_MOST_OF_OURS = 2000  # characters
_MOST_NAMES = 100
_MOST_OF_A_NAME = 200  # characters that are compared with other names


class GenrunError(Exception):
    """Base of all errors that a user or their data can cause."""


class ModelFileError(GenrunError):
    """A model file is missing, damaged, foreign, or of a newer format."""


class CorpusError(GenrunError):
    """A corpus cannot be read or yields no usable document."""


class OptionError(GenrunError, ValueError):
    """An option has an unknown name or a value that is not accepted."""


class PromptError(OptionError):
    """A prompt, or another text that a model is given, cannot be read or gives nothing to begin from."""


class UnknownPluginError(GenrunError, LookupError):
    """No installed distribution offers a plugin of that name."""


class PluginError(GenrunError):
    """A plugin failed to import, is offered twice, or broke its contract.

    ``contract``: the number of the contract that it was written for, if this version does not work with that.
    """

    def __init__(self, message: str, *, contract: int | None = None) -> None:
        super().__init__(message)
        self.contract = contract


class DeviceError(GenrunError):
    """The requested device cannot be used."""


class RunFolderError(GenrunError):
    """A folder is not a run folder, or cannot be used for this command."""


class TrainingError(GenrunError):
    """A training cannot start or go on."""


class TrainingInterrupted(TrainingError):
    """The signal ``number`` stopped a training, which has saved and can be resumed."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.number = number


class ExportError(GenrunError):
    """A trained model could not be turned into a verified model file."""


class MissingExtraError(GenrunError, ImportError):
    """An optional dependency is not installed; ``extra`` names the pip extra that brings it."""

    def __init__(self, what: str, extra: str, alternative: str | None = None) -> None:
        from genrun.checks.installation import pip_line, requirement  # it reads package metadata

        other = f" (or {requirement(alternative)})" if alternative else ""
        super().__init__(f"{what}: {pip_line(extra)}{other}")
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
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return "accepted: " + (", ".join(names[:_MOST_NAMES]) or "none") + more


def close_matches(name: object, accepted: Iterable[str]) -> list[str]:
    """Return up to three ``accepted`` names that are similar to ``name``, the most similar first."""
    if not isinstance(name, str):
        return []
    name = name[:_MOST_OF_A_NAME]  # comparing takes time in proportion to the product of both lengths
    return difflib.get_close_matches(name, list(accepted), n=3, cutoff=0.6)


def one_line(error: BaseException) -> str:
    """Return an exception's message as one short line; its class name if the message is empty or cannot be made.

    The message of a GenrunError may be longer, since it names files and accepted values.

    >>> one_line(ValueError("first\\n  second"))
    'first second'
    >>> one_line(KeyError())
    'KeyError'
    """
    try:
        text = short_line(str(error), _MOST_OF_OURS if isinstance(error, GenrunError) else CHARACTERS)
    except KeyboardInterrupt:
        raise
    except BaseException:  # __str__ of any class may raise anything
        text = ""
    return text or class_name(error)


def cause(error: BaseException) -> str:
    """Return an exception's class name and message as one short line.

    >>> cause(ZeroDivisionError("by zero")), cause(SystemExit())
    ('ZeroDivisionError: by zero', 'SystemExit')
    """
    name, message = class_name(error), one_line(error)
    return name if message == name else f"{name}: {message}"
