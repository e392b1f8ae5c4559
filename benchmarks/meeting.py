"""Compare many calls of agenerate that meet with one agenerate_many of the same prompts.

    python benchmarks/meeting.py MODEL [--calls N] [--rounds N] [--max-new-tokens N] [--decoder NAME]

Both take turns in one process. Prints the median seconds of each, their ratio, and the median of the ratios of a
round; and the same for calls from as many threads as there are prompts, by Model.schedule. The texts must be equal.
The exit status is 1 if they are not, or if the median ratio of agenerate is above 1.3.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import genrun

_MOST = 1.3


def prompts(model: genrun.Model, count: int) -> list[str]:
    """Return that many prompts of one word each, different as long as there are words."""
    words = model.tokenizer.vocabulary[len(model.tokenizer.specials) :]
    return [words[number * 7 % len(words)] for number in range(count)]


async def one_call(model: genrun.Model, texts: list[str], choices: dict[str, Any]) -> list[str]:
    """Generate with one call."""
    return [result.text for result in await model.agenerate_many(texts, batch_size=len(texts), **choices)]


async def many_calls(model: genrun.Model, texts: list[str], choices: dict[str, Any]) -> list[str]:
    """Generate with a call for each prompt, all at once."""
    return list(await asyncio.gather(*(model.agenerate(text, **choices) for text in texts)))


async def scheduled(model: genrun.Model, texts: list[str], choices: dict[str, Any]) -> list[str]:
    """Generate with a call for each prompt, without an event loop."""
    begun = [model.schedule(text, **choices) for text in texts]
    return [text.result().text for text in begun]


Way = Callable[[genrun.Model, list[str], dict[str, Any]], Coroutine[Any, Any, list[str]]]
WAYS: tuple[Way, ...] = (one_call, many_calls, scheduled)


async def measure(model: genrun.Model, texts: list[str], choices: dict[str, Any], rounds: int) -> int:
    """Print the table, and return the exit status."""
    seconds: dict[Way, list[float]] = {way: [] for way in WAYS}
    wanted = await one_call(model, texts, choices)
    for number in range(rounds + 1):  # the first one warms up
        for way in WAYS:
            started = time.perf_counter()
            made = await way(model, texts, choices)
            if number:
                seconds[way].append(time.perf_counter() - started)
            if made != wanted:
                print(f"{way.__name__}: the texts differ")
                return 1
    print("| calls | seconds (median) | times one_call (median of the rounds) |\n|---|---|---|")
    ratios = {}
    for way, taken in seconds.items():
        ratios[way] = statistics.median(own / one for own, one in zip(taken, seconds[one_call], strict=True))
        print(f"| {way.__name__} | {statistics.median(taken):.4f} | {ratios[way]:.2f} |")
    return int(ratios[many_calls] > _MOST)


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--calls", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--max-new-tokens", type=int, default=40)
    parser.add_argument("--decoder", help="[the model's]")
    arguments = parser.parse_args()
    model = genrun.load(arguments.model)
    choices = {"decoder": arguments.decoder, "max_new_tokens": arguments.max_new_tokens, "seed": 1}
    settings = model.settings(**choices)
    print(f"{arguments.calls} texts, {settings.decoder}, {settings.max_new_tokens} new tokens, on {model.device}")
    return asyncio.run(measure(model, prompts(model, arguments.calls), choices, arguments.rounds))


if __name__ == "__main__":
    sys.exit(main())
