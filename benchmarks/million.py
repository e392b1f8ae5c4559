"""Generate a million texts in one process and watch its memory.

    python benchmarks/million.py MODEL [--texts N] [--max-new-tokens N] [--decoder NAME] [--set KEY=VALUE]…

Prints the resident memory after the first thousand texts and along the way, and how much it has grown since. Every
text begins from another pair of words of the vocabulary; none is kept. The exit status
is 1 if the memory grew by more than 2 MiB, or if the texts were not as many as asked for. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import genrun
from genrun.contracts.options import parse_assignments

_FIRST = 1000
_ALLOWED_MEBIBYTES = 2.0


def resident_mebibytes() -> float:
    """Return the memory of this process that is not swapped out."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def prompts(model: genrun.Model) -> Iterator[str]:
    """Yield two words of the vocabulary, another pair every time, without end."""
    words = model.tokenizer.vocabulary[len(model.tokenizer.specials) :]
    for number in count():
        yield f"{words[number % len(words)]} {words[number // len(words) % len(words)]}"


def main() -> int:
    """Run the check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--max-new-tokens", type=int, default=12)
    parser.add_argument("--decoder", help="[the model's]")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="an option of the decoder")
    arguments = parser.parse_args()
    model = genrun.load(arguments.model)
    options = parse_assignments(arguments.set)
    settings = model.settings(decoder=arguments.decoder, max_new_tokens=arguments.max_new_tokens, seed=1, **options)
    print(f"{settings.decoder}, {settings.max_new_tokens} new tokens, on {model.device}", flush=True)
    results = model.generate_each(islice(prompts(model), arguments.texts), settings=settings)
    first = highest = 0.0
    texts = tokens = 0
    started = time.perf_counter()
    for texts, result in enumerate(results, 1):
        tokens += len(result.ids)
        if texts == _FIRST or texts % max(arguments.texts // 20, _FIRST) == 0:
            resident = resident_mebibytes()
            first, highest = first or resident, max(highest, resident)
            rate = texts / (time.perf_counter() - started)
            print(
                f"{texts:>9,} texts  {resident:7.2f} MiB  {resident - first:+6.2f}  {rate:,.0f} texts/s", flush=True
            )
    seconds = time.perf_counter() - started
    print(
        f"{texts:,} texts, {tokens:,} tokens in {seconds:.0f} s: {tokens / seconds:,.0f} tokens/s; resident memory "
        f"{first:.1f} MiB after {_FIRST:,} texts, {highest:.1f} MiB at most ({highest - first:+.2f} MiB)"
    )
    return int(texts != arguments.texts or highest - first > _ALLOWED_MEBIBYTES)


if __name__ == "__main__":
    sys.exit(main())
