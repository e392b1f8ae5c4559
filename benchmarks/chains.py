"""What chains cost beside top-k: python benchmarks/chains.py MODEL

MODEL is a model file that was trained (the recipe ``nyt-headlines`` makes the shape of the headlines): the number of
likely words decides what a chain costs. Whole texts are generated with each chain in turn, round after round, at
batch 1 and 64 with one thread. Prints tokens a second of processor time, and the time of each chain as a multiple of
that of ``top-k`` in the same round; both are medians over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import genrun

ROUNDS, TEXTS = 25, {1: 24, 64: 256}
CHAINS = (
    "top-k",
    "temperature",
    "greedy",
    "min-p:0.05,temperature:0.8",
    "repetition:1.1,no-repeat-ngram:3,top-k:40,top-p:0.95,min-p:0.05,temperature:0.8",
    "repetition:1.1,dry,top-k:40,typical:0.95,min-p:0.05,temperature:0.8",
    "llama.cpp:0.8;repeat_penalty=1.1;dry_multiplier=0.8",
    "top-p",
)


def main() -> None:
    """Measure, and print a table for each batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--chain", action="append", help="[a fixed list]")
    arguments = parser.parse_args()
    model = genrun.load(arguments.model, device="cpu", threads=1)
    chains = ["top-k", *arguments.chain] if arguments.chain else CHAINS
    for batch, texts in TEXTS.items():
        times: dict[str, list[float]] = {chain: [] for chain in chains}
        for turn in range(arguments.rounds + 1):
            for chain in chains:
                seconds = _seconds_a_token(model, chain, batch, texts)
                if turn:  # the first round warms up
                    times[chain].append(seconds)
        print(f"batch {batch}")
        for chain, measured in times.items():
            multiples = [own / peer for own, peer in zip(measured, times["top-k"], strict=True)]
            rate, multiple = 1 / statistics.median(measured), statistics.median(multiples)
            print(f"  {rate:10,.0f} tokens/s  {multiple:5.2f}  {chain}", flush=True)


def _seconds_a_token(model: genrun.Model, chain: str, batch: int, texts: int) -> float:
    prompts = [word for word in model.tokenizer.vocabulary[4:] if word.isalpha()][:texts]
    settings = model.settings(decoder=chain, seed=1, max_new_tokens=20)
    started = time.process_time()
    results = model.generate_many(prompts, batch_size=batch, settings=settings)
    return (time.process_time() - started) / sum(len(result.ids) for result in results)


if __name__ == "__main__":
    main()
