"""The random numbers of generation: one uniform draw per generated token, from a counter-based generator.

The draws of a text depend on nothing but the seed, the prompt's token ids and the number of the sample. So a text
is the same alone, in a batch, streamed, and on any number of threads. (Philox: Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", 2011; NumPy's ``Philox`` is the 4x64 variant with ten rounds.)
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.random  # now: NumPy itself would import it at the first draw, and a forked child may not be able to
from numpy.typing import NDArray

from genrun.checks.arguments import whole_number
from genrun.checks.short_text import shown
from genrun.errors import OptionError

__all__ = ["Draws", "branch_numbers", "check_seed", "uniform_draws"]

_LIMIT = 2**64


def check_seed(seed: int | None) -> int:
    """Return ``seed``, or a fresh one from the operating system for None; 0 is a seed like any other.

    Raises OptionError for a seed outside 0 … 2**64 - 1.
    """
    if seed is None:
        return secrets.randbits(63)
    number = whole_number(seed)
    if number is None or not 0 <= number < _LIMIT:
        raise OptionError(f"seed must be a whole number from 0 to 2**64 - 1, not {shown(seed)}")
    return number


class Draws:
    """The draws of one text, one after another, made in blocks: a text that ends early has not paid for a long one.

    >>> draws = Draws(7, 0, [1, 2])
    >>> [next(draws) for _ in range(3)] == uniform_draws(7, 0, [1, 2], 3).tolist()
    True
    """

    __slots__ = ("_block", "_blocks", "_counter", "_key", "_next")
    _BLOCK = 32

    def __init__(self, seed: int, sample: int, prompt_ids: Sequence[int]) -> None:
        self._key, self._counter = _start(seed, sample, prompt_ids)
        self._block: list[float] = []
        self._blocks = 0  # that have been drawn
        self._next = 0

    def __iter__(self) -> Draws:
        return self

    def __next__(self) -> float:
        """Return the next uniform number in [0, 1), a float32 value."""
        if self._next == len(self._block):
            self._draw()
        self._next += 1
        return self._block[self._next - 1]

    def _draw(self) -> None:
        """Draw the next block with this thread's generator: setting its state is faster than making one."""
        self._counter[0] = self._blocks * self._BLOCK // 8  # a step of the counter gives eight numbers
        generator = _generator_of_this_thread()
        generator.bit_generator.state = {**_NOTHING_HELD, "state": {"counter": self._counter, "key": self._key}}
        self._block, self._next = generator.random(self._BLOCK, dtype=np.float32).tolist(), 0
        self._blocks += 1


_own = threading.local()
# The state of a Philox that has drawn nothing since its counter was set.
_NOTHING_HELD: dict[str, Any] = {
    "bit_generator": "Philox",
    "buffer": np.zeros(4, np.uint64),
    "buffer_pos": 4,
    "has_uint32": 0,
    "uinteger": 0,
}


def _generator_of_this_thread() -> np.random.Generator:
    try:
        generator: np.random.Generator = _own.generator
    except AttributeError:
        generator = _own.generator = np.random.Generator(np.random.Philox(0))
    return generator


def uniform_draws(seed: int, sample: int, prompt_ids: Sequence[int], count: int) -> NDArray[np.float32]:
    """Return float32 ``[count]`` in [0, 1): the draws for a text's first ``count`` new tokens.

    Philox is keyed by (``seed``, ``sample``); a hash of the prompt's ids starts its counter, so that different
    prompts in one batch do not share their luck. A longer ``count`` continues the same numbers.

    >>> bool((uniform_draws(7, 0, [1, 2], 9)[:5] == uniform_draws(7, 0, [1, 2], 5)).all())
    True
    """
    key, counter = _start(seed, sample, prompt_ids)
    return np.random.Generator(np.random.Philox(key=key, counter=counter)).random(count, dtype=np.float32)


def _start(seed: int, sample: int, prompt_ids: Sequence[int]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return Philox's key, uint64 ``[2]``, and the counter that its numbers begin from, ``[4]``."""
    digest = hashlib.blake2b(np.asarray(prompt_ids, "<i8").tobytes(), digest_size=8).digest()
    counter = np.array([0, 0, 0, int.from_bytes(digest, "little")], np.uint64)
    return np.array([seed, sample], np.uint64), counter


def branch_numbers(seed: int, prompt_ids: Sequence[int], new_ids: Sequence[int], count: int) -> NDArray[np.float64]:
    """Return float64 ``[count]`` in [0, 1): numbers for what may follow ``new_ids`` in a search.

    They depend on the prompt and on all new tokens, and are independent of the draws of any sample.

    >>> bool((branch_numbers(7, [1, 2], [3], 9)[:5] == branch_numbers(7, [1, 2], [3], 5)).all())
    True
    """
    _, counter = _start(seed, 0, [*prompt_ids, -1, *new_ids])  # no token has the id -1
    generator = _generator_of_this_thread()
    key = np.array([seed, _LIMIT - 1], np.uint64)  # no sample has this number
    generator.bit_generator.state = {**_NOTHING_HELD, "state": {"counter": counter, "key": key}}
    return generator.random(count)
