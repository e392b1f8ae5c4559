"""How the texts of a request are generated: its body as settings of the library."""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from genrun.generating.draws import check_seed
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.serving.asking.chains import chain_of

__all__ = ["ChosenSettings"]

_MOST = 256  # settings that are kept
_LONGEST = 4096  # characters of a body whose settings are kept
_KEY = json.JSONEncoder(sort_keys=True)
_ELSEWHERE = frozenset(
    "model prompt messages seed n best_of max_tokens max_completion_tokens logprobs top_logprobs echo stream "
    "stream_options response_format user".split()
)
"""The fields of a body that decide nothing here, or that are given by themselves."""


class ChosenSettings:
    """The settings of a model's requests; those that were used last are kept, since most differ in the seed alone."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept: OrderedDict[str, GenerationSettings] = OrderedDict()

    def of(self, body: Mapping[str, Any], most: int) -> GenerationSettings:
        """Return the settings of a checked ``body``, for at most ``most`` new tokens.

        Raises Refused, OptionError, UnknownPluginError or PluginError for what does not fit the model.
        """
        seed = check_seed(int(body["seed"]) if "seed" in body else None)
        key = _KEY.encode([most, {name: value for name, value in body.items() if name not in _ELSEWHERE}])
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return dataclasses.replace(found, seed=seed)
        made = self._made(body, most, seed)
        if len(key) <= _LONGEST:
            self._kept[key] = made
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return made

    def _made(self, body: Mapping[str, Any], most: int, seed: int) -> GenerationSettings:
        chosen: dict[str, Any] = {
            name: body[name]
            for name in ("constraint", "length_penalty", "labels", "casing", "distinct", "spread")
            if name in body
        }
        for name in ("particles", "max_copied", "beam"):
            if name in body:
                chosen[name] = int(body[name])
        model, stop = self._model, body.get("stop", ())
        decoder = chain_of(body, model.defaults, len(model.tokenizer))
        return model.settings(max_new_tokens=max(most, 1), decoder=decoder, seed=seed, stop=stop, **chosen)
