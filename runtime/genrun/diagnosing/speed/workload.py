"""The workload of a benchmark: the bare step, the step with choosing, and whole texts."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun.generating.choosing.binding import bound
from genrun.generating.choosing.chooser import Chooser
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.draws import uniform_draws
from genrun.generating.settings import GenerationSettings
from genrun.generating.stepping.bound_step import BoundStep
from genrun.generating.stepping.session import StepSession
from genrun.model import Model

__all__ = ["Round", "Work"]

_Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Round:
    """The results of one round.

    ``bare``, ``choosing``, ``whole``: seconds of the three measurements. ``tokens``: new tokens of the whole texts.
    ``waits``: seconds between successive tokens of a text.
    """

    bare: float
    choosing: float
    whole: float
    tokens: int
    waits: NDArray[np.float64]


class Work:
    """Runs ``length`` steps of ``size`` texts: bare, with choosing, and as part of generating the texts."""

    def __init__(self, model: Model, settings: GenerationSettings, size: int) -> None:
        self.length = settings.max_new_tokens
        self._session = model._session
        self._size = size
        self._settings = settings
        self._suppressed = model.defaults.suppressed_ids
        self._prompt, self._first = _shortest_prompt(model)
        self._clock = _Clock()
        metadata = model._metadata
        self._decoder = bound(settings.decoder, model.tokenizer, (), metadata.training_runs)
        endless = dataclasses.replace(metadata, generation=dataclasses.replace(metadata.generation, stop_ids=()))
        self._endless = Model(self._session.stoppable(self._clock), endless)
        self._sizes = model._threads.divided(size)  # of the batches that run at once
        self._threads = ThreadPoolExecutor(len(self._sizes))
        self.chosen_in = "graph" if self._chooser(self._session).uses_graph(max(self._sizes)) else "numpy"

    def shorten(self, seconds: float) -> None:
        """Shorten ``length`` so that its steps take at most about ``seconds``, but not below 2."""
        most = self.length
        self._set_length(2)
        self.round()  # the first round is slower than all others
        pace = self.round().choosing / self.length
        self._set_length(max(2, min(most, int(seconds / max(pace, 1e-9)))))

    def round(self) -> Round:
        """Run each measurement once: whole texts first, so that a failure has the usual error message."""
        self._clock.times.clear()
        started = time.perf_counter()
        results = self._endless.generate_many(
            [self._prompt], n=self._size, batch_size=self._size, settings=self._settings
        )
        whole = time.perf_counter() - started
        waits = self._clock.waits(self.length)
        bare, choosing = map(self._timed, zip(*map(self._steps, self._sizes), strict=True))
        return Round(bare, choosing, whole, sum(len(result.ids) for result in results), waits)

    def _set_length(self, length: int) -> None:
        self.length = length
        self._settings = dataclasses.replace(self._settings, max_new_tokens=length)

    def _timed(self, steps: Sequence[_Step]) -> float:
        """Return the seconds that ``length`` steps of all batches take in parallel."""
        started = time.perf_counter()
        if len(steps) == 1:
            self._repeat(*steps)
        else:
            list(self._threads.map(self._repeat, steps))
        return time.perf_counter() - started

    def _repeat(self, step: _Step) -> None:
        for _ in range(self.length):
            step()

    def _steps(self, size: int) -> tuple[_Step, _Step]:
        """Return the bare step and the one that chooses, each for a batch of ``size`` new texts."""
        session = self._session.running_at_once(len(self._sizes))
        tokens = np.full(size, self._first, np.int64)
        bare = BoundStep(
            session,
            inputs={},
            carried={**session.initial_inputs(size), "token": tokens},
            outputs={"logits": np.zeros((size, session.vocabulary), np.float32)},
            chooses=False,
        )
        new_ids: list[list[int]] = [[] for _ in range(size)]
        chooser = self._chooser(session)
        chooser.replace_finished([], [Tokens([self._first], ids) for ids in new_ids])
        draws, everyone = uniform_draws(0, 0, [self._first], size).tolist(), range(size)

        def choosing_step() -> None:
            chosen, _ = chooser.step(tokens if not new_ids[0] else None, everyone, draws)
            for ids, token in zip(new_ids, chosen, strict=True):
                ids.append(token)

        return bare.run, choosing_step

    def _chooser(self, session: StepSession) -> Chooser:
        return Chooser(session, self._decoder, self._suppressed, log_probabilities=True)


class _Clock(threading.Event):
    """A stop event that is never set, and records the times at which a session checks it, at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def is_set(self) -> bool:
        """Record the time; return False, so that the session continues."""
        self.times.append(time.perf_counter())
        return False

    def waits(self, steps: int) -> NDArray[np.float64]:
        """Return the seconds from one of the ``steps`` to the next, for any number of checks in a step."""
        times = np.sort(np.array(self.times))  # threads may have recorded them in another order
        asked = max(1, len(times) // steps)
        waits: NDArray[np.float64] = times[asked:] - times[:-asked]
        return waits


def _shortest_prompt(model: Model) -> tuple[str, int]:
    """Return a prompt of one token, and the id of this token: ``""`` if the model has ``<start>``, else a word."""
    tokenizer = model.tokenizer
    start = tokenizer.special("start")
    if start is not None:
        return "", start
    for token in range(len(tokenizer.specials), len(tokenizer)):
        word = tokenizer.decode([token])
        encoding = tokenizer.encode(word)
        if len(encoding.ids) == 1 and not encoding.unknown:
            return word, encoding.ids[0]
    raise ModelFileError(f"{model.path} has no word that a prompt could begin with")
