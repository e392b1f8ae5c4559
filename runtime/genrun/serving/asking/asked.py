"""What a request for texts asks for, read from its body and checked before any work."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from genrun.errors import GenrunError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.serving.asking.chains import chain_of
from genrun.serving.limits import Limits
from genrun.serving.refusals import Refused, naming
from genrun.serving.served import Served
from genrun.tokenizer import Encoding
from genrun.tokenizer.encoding import encoding_of_ids

__all__ = ["Asked", "Prompt", "asked_for"]

_CHOSEN = ("length_penalty", "labels", "casing", "distinct", "spread", "stop", "constraint")
_WHOLE = ("seed", "max_copied", "beam", "particles")
_CONSTRAINED = ("constraint", "particles")
_LONG = 4096  # characters or ids of a prompt that is not read on the loop's thread
_MOST_KEPT = 256  # settings of a model that are kept
_LONGEST_KEPT = 4096  # characters of a body whose settings are kept
_KEY = json.JSONEncoder(sort_keys=True)
_OF_ANSWER = ("logprobs", "top_logprobs", "echo", "stream", "stream_options", "response_format", "user")
_ELSEWHERE = frozenset(
    ("model", "prompt", "messages", "seed", "n", "best_of", "max_tokens", "max_completion_tokens", *_OF_ANSWER)
)
"""The fields of a body that decide nothing here, or that are given by themselves."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it was given, ``text`` or ``ids``, and as the model reads it."""

    text: str
    ids: tuple[int, ...] | None
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Asked:
    """The texts that a request asks for.

    ``samples``: of each prompt, of which the best ``n`` are answered. ``writes``: False if no token is asked for.
    ``likeliest``: how many likely tokens are named at each place; None for no log-probabilities.
    """

    served: Served
    prompts: tuple[Prompt, ...]
    settings: GenerationSettings
    n: int
    samples: int
    writes: bool
    echo: bool
    likeliest: int | None
    stream: bool
    include_usage: bool

    @property
    def texts(self) -> int:
        """How many texts are generated."""
        return len(self.prompts) * self.samples

    @property
    def together(self) -> bool:
        """Whether one call makes all texts of a prompt: for a constraint or a search."""
        return bool(self.settings.constraint) or self.settings.search is not None


async def asked_for(
    body: Mapping[str, Any], prompts: Sequence[str | Sequence[int]], served: Served, limits: Limits
) -> Asked:
    """Return what the checked ``body`` asks for; ``prompts`` are those of its endpoint.

    Raises Refused, and the OptionError, PromptError or UnknownPluginError of what does not fit the model.
    """
    n, stream = int(body.get("n", 1)), body.get("stream", False)
    samples = int(body.get("best_of", n))
    _check_together(body, n, samples, stream)
    most = body.get("max_tokens", min(served.model.defaults.max_new_tokens, limits.new_tokens))
    settings = _kept_settings(served, body, int(most), partial(_settings, body, served, int(most)))
    asked = Asked(
        served=served,
        prompts=tuple([await _read(prompt, served, settings, limits) for prompt in prompts]),
        settings=settings,
        n=n,
        samples=samples,
        writes=most > 0,
        echo=body.get("echo", False),
        likeliest=body.get("logprobs"),
        stream=stream,
        include_usage=(body.get("stream_options") or {}).get("include_usage") or False,
    )
    if asked.texts > limits.texts:
        raise Refused(400, f"the request asks for {asked.texts} texts; this server accepts {limits.texts}", param="n")
    if asked.together and stream:
        raise Refused(400, "texts of a constraint, a beam, distinct or spread cannot be streamed", param="stream")
    if asked.together and any(prompt.ids is not None for prompt in asked.prompts):
        message = "token ids do not go with a constraint, a beam, distinct or spread; give the prompt as text"
        raise Refused(400, message, param="prompt")
    return asked


def _check_together(body: Mapping[str, Any], n: int, samples: int, stream: bool) -> None:
    """Raise Refused for fields that do not go together."""
    if samples < n:
        raise Refused(400, f"best_of is {samples}, so it is less than n, which is {n}", param="best_of")
    if stream and samples > n:
        raise Refused(400, "best_of chooses among finished texts, so it cannot be streamed", param="best_of")
    if "stream_options" in body and not stream:
        raise Refused(400, "stream_options is for stream: true", param="stream_options")
    if samples > n and (body.get("beam") or body.get("distinct") or body.get("spread")):
        raise Refused(400, "best_of does not go with beam, distinct or spread: they find n texts", param="best_of")


def _settings(body: Mapping[str, Any], served: Served, most: int) -> GenerationSettings:
    model = served.model
    chosen = {name: body[name] for name in _CHOSEN if name in body}
    chosen |= {name: int(body[name]) for name in _WHOLE if name in body}
    decoder = chain_of(body, model.defaults, len(model.tokenizer))
    try:
        return model.settings(max_new_tokens=max(most, 1), decoder=decoder, **chosen)
    except GenrunError as error:
        fields = [name for name in ("decoder", *_CHOSEN, *_WHOLE) if name in body]
        values = {"decoder": decoder, **chosen}
        wrong = next((name for name in fields if _error_of(model, name, values[name]) == str(error)), None)
        field = wrong or next((name for name in _CONSTRAINED if name in body), None)
        if field is None:
            raise
        with naming(field):
            raise


def _error_of(model: Model, name: str, value: Any) -> str:
    """Return the error of a field by itself, empty if there is none."""
    field: Any = {name: value}
    try:
        model.settings(**field)
    except GenrunError as error:
        return str(error)
    return ""


def _kept_settings(
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
    if len(key) <= _LONGEST_KEPT:
        served.settings[key] = made
    if len(served.settings) > _MOST_KEPT:
        served.settings.popitem(last=False)
    return made


async def _read(prompt: str | Sequence[int], served: Served, settings: GenerationSettings, limits: Limits) -> Prompt:
    """Read a prompt, in another thread if it is long; raises Refused for one with too many tokens."""

    def read() -> Prompt:
        tokenizer = served.model.tokenizer
        if isinstance(prompt, str):
            return Prompt(prompt, None, tokenizer.encode_prompt(prompt, dict(settings.labels)))
        encoding = encoding_of_ids(tokenizer, list(map(int, prompt)))
        return Prompt(tokenizer.decode(encoding.ids, settings.casing), encoding.ids, encoding)

    with naming("prompt"):
        found = await asyncio.to_thread(read) if len(prompt) > _LONG else read()
    if (count := len(found.encoding.ids)) > limits.prompt_tokens:
        message = f"the prompt has {count:,} tokens; this server accepts {limits.prompt_tokens:,}"
        raise Refused(400, message, param="prompt", code="context_length_exceeded")
    return found
