"""What constraints cost, and whether texts meet them: python benchmarks/constraints.py MODEL

MODEL is a model file of words that was trained; the recipe ``nyt-headlines`` makes the shape of the headlines. Prints
the seconds that 20 texts of six words take, and 20 acrostics of eight lines (median of the rounds), with some
decoders and numbers of particles. A model that writes no line breaks gets them for the acrostics: its most frequent
word becomes the end of a text, the next one a line break; the network stays what it is.

Whether texts meet random constraints is another command: cd tests && python -m support.constraints 2000
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import onnx

import genrun
from genrun.loading.metadata import Metadata
from genrun.tokenizer import Tokenizer

TEXTS, ROUNDS = 20, 5
DECODERS = (None, "min-p:0.05,temperature:0.8", "temperature")
PARTICLES = (None, 16, 32, 64)
SIX_WORDS, ACROSTIC = ("words:6", 20), ("acrostic:MOUNTAIN,words:32-48", 80)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = genrun.load(arguments.model, device="cpu")
        with_lines = genrun.load(_with_lines(arguments.model, model, Path(folder)), device="cpu")
        for each, (constraint, limit) in ((model, SIX_WORDS), (with_lines, ACROSTIC)):
            print(constraint)
            for decoder in DECODERS:
                for particles in PARTICLES:
                    _measure(each, constraint, limit, decoder, particles, arguments.rounds)


def _measure(
    model: genrun.Model, constraint: str, limit: int, decoder: str | None, particles: int | None, rounds: int
) -> None:
    prompt = "" if model.tokenizer.special("start") is not None else _words(model)[0]
    taken, effective = [], 0.0
    for turn in range(rounds):
        started = time.perf_counter()
        results = model.generate_many(
            [prompt],
            n=TEXTS,
            constraint=constraint if prompt == "" else constraint.replace("MOUNTAIN", prompt[0] + "OUNTAIN"),
            particles=particles,
            decoder=decoder,
            max_new_tokens=limit,
            seed=turn,
        )
        taken.append(time.perf_counter() - started)
        effective = statistics.median([result.effective_particles or 0 for result in results])
    seconds = statistics.median(taken)
    print(
        f"  {seconds:6.3f} s  {particles or 'default':>7} particles, effective {effective:5.1f}"
        f"  {decoder or 'default'}",
        flush=True,
    )


def _words(model: genrun.Model) -> list[str]:
    return [word for word in model.tokenizer.vocabulary[4:] if word.isalpha()]


def _with_lines(path: Path, model: genrun.Model, folder: Path) -> Path:
    """Write the model file once more, with an end and line breaks for its most frequent words; return the path."""
    tokenizer, pads = model.tokenizer, len(model.tokenizer.specials)
    if tokenizer.keeps_line_breaks or "end" in tokenizer.specials:
        return path
    vocabulary = [*tokenizer.vocabulary[:pads], "<end>", "\n", *tokenizer.vocabulary[pads + 2 :]]
    changed = Tokenizer(
        kind="word",
        vocabulary=vocabulary,
        specials=[*tokenizer.specials, "end"],
        normalization=tokenizer.normalization,
        line_breaks=True,
    )
    metadata: Metadata = dataclasses.replace(
        model._metadata,
        tokenizer=changed,
        generation=dataclasses.replace(model.defaults, stop_ids=(pads,)),
    )
    content = onnx.load(str(path))
    del content.metadata_props[:]
    onnx.helper.set_model_props(content, metadata.to_properties())
    onnx.save_model(content, str(folder / "lines.onnx"))
    return folder / "lines.onnx"


if __name__ == "__main__":
    main()
