"""How fast a model generates, and where the time goes: the model, choosing the word, Python.

Three things are run in turns, as many steps of each, round after round, so that whatever else the machine does
disturbs all three alike:

- the bare step: what the model computes, nothing is chosen;
- the step that also chooses: in the graph where file and decoder can, else in NumPy with the decoder;
- generating as ``generate_many`` does it, from the prompt to the finished texts.

The medians of the first, of what the second takes beyond it, and of what the third takes beyond that, are the shares
of model, choosing and Python. Where generating divides a batch among threads, so do the steps.

So that every round has as many tokens, texts do not end at an end token here: each has exactly as many new tokens as
were asked for, and the longest wait is known beforehand, whatever the model would say.
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

from genrun.benchmarking.workload import Round, Work
from genrun.checks.arguments import check_count
from genrun.errors import OptionError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model

__all__ = ["BATCH_SIZES", "SECONDS", "Measurement", "benchmark"]

BATCH_SIZES = (1, 8, 64)
SECONDS = 3.0
_LARGEST_BATCH = 65_536
_FEWEST_ROUNDS = 5
_KINDS = 3  # of what a round runs


@dataclass(frozen=True, slots=True)
class Measurement:
    """How fast one batch size was.

    ``tokens`` new ones were generated in all, in ``rounds`` rounds of ``batch_size`` texts with ``new_tokens`` each.
    ``tokens_per_second``: of all texts together, the median of the rounds, with everything from prompt to text.
    ``p50_milliseconds`` and so on: percentiles of the time from one token of a text to its next.
    ``steps_per_second``: of the bare step. ``chosen_in``: ``graph`` or ``numpy``. The shares of the time, 1 together:
    of the model, the bare step; of choosing, what that adds to a step, from the logits to the ids and their
    log-probabilities; of Python, all the rest. ``peak_mebibytes``: the most memory that this process has had so far,
    None where nobody says.
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

    ``settings`` as from :meth:`genrun.Model.settings`, None for the model's own; stop texts are left aside. With
    ``tokens`` at least so many are generated at each size, however long that takes; otherwise texts are shortened
    where the model is too slow for ``seconds``. Raises OptionError for what is not accepted, and what
    ``generate_many`` raises.
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
    work.round()  # the first is slower than all others
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
