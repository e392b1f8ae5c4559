"""The settings of the last requests, so that a request that differs in its seed alone need not make them again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from genrun.generating.settings import GenerationSettings
from genrun.serving.served import Served

__all__ = ["kept_settings"]

_MOST = 256  # settings of a model that are kept
_LONGEST = 4096  # characters of a body whose settings are kept
_KEY = json.JSONEncoder(sort_keys=True)
_OF_ANSWER = ("logprobs", "top_logprobs", "echo", "stream", "stream_options", "response_format", "user")
_ELSEWHERE = frozenset(
    ("model", "prompt", "messages", "seed", "n", "best_of", "max_tokens", "max_completion_tokens", *_OF_ANSWER)
)
"""The fields of a body that decide nothing here, or that are given by themselves."""


def kept_settings(
    served: Served, body: Mapping[str, Any], most: int, make: Callable[[], GenerationSettings]
) -> GenerationSettings:
    """Return the settings of a checked ``body``, for at most ``most`` new tokens; ``make`` makes new ones.

    Raises what ``make`` raises.
    """
    key = _KEY.encode([most, {name: value for name, value in body.items() if name not in _ELSEWHERE}])
    found = served.settings.get(key)
    if found is not None:
        served.settings.move_to_end(key)
        return dataclasses.replace(found, seed=int(body["seed"]) if "seed" in body else served.seeds.next())
    made = make()
    if len(key) <= _LONGEST:
        served.settings[key] = made
    if len(served.settings) > _MOST:
        served.settings.popitem(last=False)
    return made
