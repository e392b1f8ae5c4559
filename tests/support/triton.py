"""What Triton does with a sequence of requests, without Triton: it keeps the states, zeros at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genrun.generating.draws import Draws
from genrun.model import Model

__all__ = ["continuation"]


def continuation(
    session: Any, model: Model, prompts: Sequence[str], *, seed: int, temperature: float
) -> list[list[int]]:
    """Return the new ids of each prompt: a client sends its tokens, and then each chosen one, with a draw."""
    states = {
        value.name: np.zeros((len(prompts), *value.shape[1:]), np.float32 if "float" in value.type else np.int32)
        for value in session.get_inputs()
        if value.name.startswith("state.")
    }
    encoded = [model.tokenizer.encode_prompt(prompt).ids for prompt in prompts]
    draws = [Draws(seed, 0, ids) for ids in encoded]
    waiting, new = [list(ids) for ids in encoded], [list[int]() for _ in prompts]
    stops, most = model.defaults.stop_ids, model.defaults.max_new_tokens
    done = [False] * len(prompts)
    while not all(done):
        token = np.array([ids.pop(0) if ids else 0 for ids in waiting], np.int64)
        ready = [not ids and not over for ids, over in zip(waiting, done, strict=True)]
        draw = np.array([[next(each) if is_ready else 0.5] for each, is_ready in zip(draws, ready, strict=True)])
        outputs = ["chosen", *(f"{name}.next" for name in states)]
        fed = {"token": token, "draw": draw, "temperature": np.full((len(prompts), 1), temperature)}
        chosen, *following = session.run(outputs, fed | states)
        states = dict(zip(states, following, strict=True))
        for row, is_ready in enumerate(ready):
            if is_ready:
                new[row].append(int(chosen[row]))
                waiting[row] = [int(chosen[row])]
                done[row] = chosen[row] in stops or len(new[row]) == most
    return new
