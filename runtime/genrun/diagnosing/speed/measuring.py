"""Measures how fast a model generates, and how the time is divided among the model, choosing and Python.

Three measurements with the same number of steps alternate, round after round, so that other load on the machine
affects all three equally:

- the bare step, without choosing;
- the step with choosing: in the graph if file and decoder allow it, else in NumPy with the decoder;
- ``generate_many``, from the prompt to the finished texts.

The share of the model is the median of the first, that of choosing the time of the second beyond the first, and that
of Python the time of the third beyond the second. If generating divides a batch among threads, so do the steps.

An end token does not end a text here: every text has the requested number of new tokens, so that all rounds have the
same number of tokens and a known length.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from genrun.checks.arguments import check_count
from genrun.diagnosing.speed.workload import Round, Work
from genrun.errors import OptionError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model

__all__ = ["BATCH_SIZES", "SECONDS", "Measurement", "benchmark"]

BATCH_SIZES = (1, 8, 64)
SECONDS = 3.0
_LARGEST_BATCH = 65_536
_FEWEST_ROUNDS = 5
_KINDS = 3  # measurements in a round


@dataclass(frozen=True, slots=True)
class Measurement:
    """The speed at one batch size.

    ``rounds`` rounds of ``batch_size`` texts with ``new_tokens`` new tokens each gave ``tokens`` in all.
    ``tokens_per_second``: over all texts, from prompt to text, the median of the rounds.
    ``p50_milliseconds`` and so on: percentiles of the time from one token of a text to its next.
    ``steps_per_second``: of the bare step. ``chosen_in``: ``graph`` or ``numpy``. The shares of the time add up to 1:
    ``model_share`` is the bare step; ``choosing_share`` is what choosing adds to a step, from the logits to the ids
    and their log-probabilities; ``python_share`` is the rest. ``peak_mebibytes``: the peak memory of this process so
    far, None if the system does not report it.
    """

    batch_size: int
    new_tokens: int
    rounds: int
    tokens: int
    tokens_per_second: float
    p50_milliseconds: float
    p95_milliseconds: float
    p99_milliseconds: float
    steps_per_second: float
    chosen_in: str
    model_share: float
    choosing_share: float
    python_share: float
    peak_mebibytes: float | None

    def to_json(self) -> dict[str, int | float | str | None]:
        """Return the measurement as a JSON-ready dictionary."""
        return dataclasses.asdict(self)


def benchmark(
    model: Model,
    settings: GenerationSettings | None = None,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    seconds: float = SECONDS,
    tokens: int | None = None,
) -> Iterator[Measurement]:
    """Yield a measurement for each of ``batch_sizes``, in about ``seconds`` each.

    ``settings``: from :meth:`genrun.Model.settings`, None for the model's own; stop texts are ignored. ``tokens``:
    generate at least this number at each size, for any time; without it, texts are shortened if the model is too slow
    for ``seconds``. Raises OptionError for a value that is not accepted, and the errors of ``generate_many``.
    """
    sizes = [check_count("batch", size, most=_LARGEST_BATCH) for size in batch_sizes]
    if tokens is not None:
        tokens = check_count("tokens", tokens)
    if not 0 < seconds < math.inf:
        raise OptionError(f"seconds must be a number above 0, not {seconds!r}")
    settings = dataclasses.replace(settings or model.settings(), stops=())
    if settings.max_new_tokens < 2:
        raise OptionError("bench measures from one token to the next: max_new_tokens must be 2 or more, not 1")
    return (_measured(model, settings, size, seconds, tokens) for size in sizes)


def _measured(
    model: Model, settings: GenerationSettings, size: int, seconds: float, tokens: int | None
) -> Measurement:
    work = Work(model, settings, size)
    if tokens is None:
        work.shorten(seconds / (_KINDS * _FEWEST_ROUNDS))
    work.round()  # the first round is slower than all others
    rounds: list[Round] = []
    begun, counted = time.perf_counter(), 0
    while len(rounds) < _FEWEST_ROUNDS or (
        time.perf_counter() - begun < seconds if tokens is None else counted < tokens
    ):
        rounds.append(work.round())
        counted += rounds[-1].tokens
    bare, choosing, whole = (
        median(kind) for kind in zip(*((r.bare, r.choosing, r.whole) for r in rounds), strict=True)
    )
    in_model = min(1.0, bare / whole)
    in_choice = min(1.0 - in_model, max(0.0, (choosing - bare) / whole))
    waits = np.concatenate([r.waits for r in rounds]) * 1e3
    p50, p95, p99 = (float(wait) for wait in np.percentile(waits, (50, 95, 99)))
    return Measurement(
        batch_size=size,
        new_tokens=work.length,
        rounds=len(rounds),
        tokens=counted,
        tokens_per_second=rounds[0].tokens / whole,
        p50_milliseconds=p50,
        p95_milliseconds=p95,
        p99_milliseconds=p99,
        steps_per_second=work.length / bare,
        chosen_in=work.chosen_in,
        model_share=in_model,
        choosing_share=in_choice,
        python_share=1.0 - in_model - in_choice,
        peak_mebibytes=_peak_mebibytes(),
    )


def _peak_mebibytes() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
