"""The result of a generation, and the warning about unknown words."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genrun.checks.printable import quoted
from genrun.checks.short_text import shorten

if TYPE_CHECKING:
    from genrun.loading.originality import Copied

__all__ = ["Result", "UnknownWordsWarning", "list_words", "rounded", "warn_unknown"]


_COPIED = ("copied_run", "is_training_line", "copied_span")


def list_words(words: Sequence[str], most: int = 10) -> str:
    """Return the first ``most`` different words as text for a message.

    >>> list_words(["b", "a", "b"])
    "'b', 'a'"
    """
    different = list(dict.fromkeys(words))
    listed = ", ".join(quoted(shorten(word)) for word in different[:most])
    return listed if len(different) <= most else f"{listed} and {len(different) - most} more"


class UnknownWordsWarning(UserWarning):
    """Words of a prompt are not in the model's vocabulary, so the model did not see them."""


def warn_unknown(words: Sequence[str]) -> None:
    """Warn about a prompt's unknown ``words``, if any, at the line that called the caller of this function."""
    if words:
        warnings.warn(f"not in the model's vocabulary: {list_words(words)}", UnknownWordsWarning, stacklevel=3)


class _Finding:
    """What a result needs to find what its text copies: no field, so that nobody copies or compares it."""

    __slots__ = ("_find",)


@dataclass(frozen=True, slots=True)
class Result(_Finding):
    """One generated text.

    ``text``: the prompt (as it was typed, unless the casing rewrites it) and its ``continuation``. ``ids``: the new
    token ids, an end token included. ``finish_reason``: ``end`` (the model ended the text), ``stop`` (a stop text
    appeared), ``length``.
    ``log_probability``: natural logarithm of the model's own probability of all new tokens, for any decoder; its last
    digits depend on the texts that shared a batch with this one.
    ``unknown``: prompt words outside the vocabulary. The same ``seed`` and ``sample`` give the same text again.
    ``probability``: of texts that are drawn together, ``distinct`` or ``spread``, how likely the decoder is to draw
    these ``ids``, 0 to 1; None for others.
    ``copied_run``: the words of the longest run that the text has from the training text, 0 for fewer than those
    that the model file has, usually 5; ``is_training_line``: whether its words are those of a training document, by
    hashes, so that a few texts are mistaken; None for both if the model file does not know its training text.
    ``copied_span``: the run is ``text[copied_span[0]:copied_span[1]]``; None without a run. These three are found
    when one of them is first read.
    ``tokens_per_second``: new tokens a second, from the text's admission to its batch until it was finished, the
    reading of its prompt included. ``effective_particles``: with a constraint, the smallest effective sample size of
    its particles; it is 1 if one beginning had all the weight, and None without a constraint. Results are compared
    without their probabilities, ``tokens_per_second`` and ``effective_particles``.
    """

    prompt: str
    text: str
    continuation: str
    ids: tuple[int, ...]
    finish_reason: str
    log_probability: float = field(compare=False)
    unknown: tuple[str, ...]
    seed: int
    sample: int
    copied_run: int | None = None
    is_training_line: bool | None = None
    copied_span: tuple[int, int] | None = None
    tokens_per_second: float = field(default=0.0, compare=False)
    probability: float | None = field(default=None, compare=False)
    effective_particles: float | None = field(default=None, compare=False)

    def with_copies_found_by(self, find: Callable[[], Copied]) -> Result:
        """Return this result, which calls ``find`` for what its text copies when that is first read."""
        for name in _COPIED:
            object.__delattr__(self, name)  # reading it calls __getattr__
        object.__setattr__(self, "_find", find)
        return self

    def __getattr__(self, name: str) -> Any:
        """Find what the text copies; called for an attribute that has no value."""
        if name not in _COPIED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if (find := self._find) is not None:  # None: another thread has found it
            for each, value in zip(_COPIED, find(), strict=True):
                object.__setattr__(self, each, value)
            object.__setattr__(self, "_find", None)
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[type[Result], tuple[Any, ...]]:
        """Pickle what there is to know, which is found before."""
        return type(self), tuple(getattr(self, name) for name in self.__slots__)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON-ready dictionary; :func:`rounded` rounds its log-probability.

        The probability has four digits. It and ``effective_particles`` are left out where they are None.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        values["log_probability"] = rounded(self.log_probability)
        if self.probability is not None:
            values["probability"] = float(f"{self.probability:.4g}")
        else:
            del values["probability"]
        if self.effective_particles is not None:
            values["effective_particles"] = round(self.effective_particles, 1)
        else:
            del values["effective_particles"]
        return values


def rounded(log_probability: float) -> float | None:
    """Return a log-probability with four digits and at most three decimals; None if it is not finite.

    Other texts in the batch change it by about a ten thousandth of the last of these digits, so this rarely shows.

    >>> rounded(-12.3456), rounded(-0.12345), rounded(-0.00001)
    (-12.35, -0.123, 0.0)
    """
    if not math.isfinite(log_probability):
        return None
    return round(float(f"{log_probability:.4g}"), 3) + 0.0  # + 0.0 turns -0.0 into 0.0
