"""The settings of the last requests, so that a request that differs in its seed alone need not make them again."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from genrun.generating.settings import GenerationSettings

__all__ = ["KeptSettings"]

_MOST = 256  # settings that are kept
_LONGEST = 4096  # characters of a body whose settings are kept
_KEY = json.JSONEncoder(sort_keys=True)
_OF_ANSWER = ("logprobs", "top_logprobs", "echo", "stream", "stream_options", "response_format", "user")
_ELSEWHERE = frozenset(
    ("model", "prompt", "messages", "seed", "n", "best_of", "max_tokens", "max_completion_tokens", *_OF_ANSWER)
)
"""The fields of a body that decide nothing here, or that are given by themselves."""


class KeptSettings:
    """The settings of one model's requests: the last 256 that differ in more than the seed."""

    def __init__(self) -> None:
        self._seeds = _FreshSeeds()
        self._kept: OrderedDict[str, GenerationSettings] = OrderedDict()

    def of(self, body: Mapping[str, Any], most: int, make: Callable[[], GenerationSettings]) -> GenerationSettings:
        """Return the settings of a checked ``body``, for at most ``most`` new tokens; ``make`` makes new ones.

        Raises what ``make`` raises.
        """
        key = _KEY.encode([most, {name: value for name, value in body.items() if name not in _ELSEWHERE}])
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return dataclasses.replace(found, seed=int(body["seed"]) if "seed" in body else self._seeds.next())
        made = make()
        if len(key) <= _LONGEST:
            self._kept[key] = made
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return made


class _FreshSeeds:
    """Seeds that nobody can guess, of 63 bits; many are drawn together.

    Asking the system for random bytes lets other threads run, and they keep Python's lock for milliseconds.
    """

    _BLOCK = 256

    def __init__(self) -> None:
        self._left = list[int]()
        self._process = 0

    def next(self) -> int:
        """Return the next seed; a forked process has seeds of its own."""
        if not self._left or self._process != os.getpid():
            self._process = os.getpid()
            self._left = [number >> 1 for number in struct.unpack(f"{self._BLOCK}Q", os.urandom(8 * self._BLOCK))]
        return self._left.pop()
