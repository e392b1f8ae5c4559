"""genrun itself: ``generate_many``, from the prompt to the finished texts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import count
from typing import Any

from generation.turns import serve


def prepare() -> tuple[Callable[[], int], str]:
    import genrun

    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("batch", type=int)
    parser.add_argument("tokens", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("decoder", choices=("top-k", "greedy"))
    arguments = parser.parse_args()
    model = genrun.load(arguments.file, device="cpu", threads=arguments.threads)
    options: dict[str, Any] = {"k": 40} if arguments.decoder == "top-k" else {}
    seeds = count()

    def produce() -> int:
        results = model.generate_many(
            ["how"],
            n=arguments.batch,
            batch_size=arguments.batch,
            max_new_tokens=arguments.tokens,
            decoder=arguments.decoder,
            seed=next(seeds),
            **options,
        )
        return sum(len(result.ids) for result in results)

    return produce, f"genrun {genrun.__version__}"


if __name__ == "__main__":
    serve(prepare, "genrun")
