"""Makes untrained networks of the reference shapes, and the model files that ``genrun export`` makes of them.

    cd benchmarks && python -m generation.networks SHAPE FOLDER [--quantize int8]

The vocabulary is made up and has no end token, so that every text has as many tokens as are asked for.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import string
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SHAPES", "Shape", "make"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A network's sizes, and how many ``tokens`` a text of a timed round has."""

    vocabulary: int
    embedding: int
    hidden: int
    layers: int
    tokens: int


# Those of ../shared/bench/torch_peer.py; `longest` of the headlines is 28 words.
SHAPES = {
    "april2018": Shape(3494, 10, 128, 1, 200),
    "headlines": Shape(11753, 10, 100, 1, 200),
    "lyricist": Shape(7001, 256, 1024, 2, 40),
}
_WORDS_A_LINE = 10


def words(count: int) -> list[str]:
    """Return different made-up words; the first is "how", which every prompt here consists of."""
    letters = itertools.product(string.ascii_lowercase, repeat=4)
    return ["how", *("".join(some) for some in itertools.islice(letters, count - 1))]


def make(name: str, folder: Path, quantize: str | None = None) -> Path:
    """Write the run folder ``folder/NAME`` unless it is there, and its model file; return the file's path."""
    from genrun_core.backend import prepare_backend
    from genrun_export.exporting import export

    run, output = folder / name, folder / f"{name}{f'-{quantize}' if quantize else ''}.onnx"
    prepare_backend()
    if not run.exists():
        _write_run(SHAPES[name], run)
    if quantize is None:
        export(run, output)
    elif "quantize" in inspect.signature(export).parameters:
        export(run, output, quantize=quantize)
    else:
        raise SystemExit("this genrun does not quantize")
    return output


def _write_run(shape: Shape, path: Path) -> None:
    """Write what training would leave, without the training."""
    import keras
    import numpy as np

    from genrun_core.corpus.preparation import prepare_corpus
    from genrun_core.network.architecture import build_network, fingerprint
    from genrun_core.recipes.recipe import load_recipe
    from genrun_core.runs.run_folder import RunFolder

    corpus = path.with_suffix(".txt")
    vocabulary = words(shape.vocabulary - 1)  # and <pad>
    lines = (" ".join(vocabulary[i : i + _WORDS_A_LINE]) for i in range(0, len(vocabulary), _WORDS_A_LINE))
    corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sizes = {"embedding_size": shape.embedding, "hidden_size": shape.hidden, "layers": shape.layers}
    recipe = load_recipe("april-2018", {key: str(value) for key, value in sizes.items()}, "text")
    run = RunFolder.create(path, recipe, [str(corpus)])
    print(*prepare_corpus(run, recipe).report, sep="\n", file=sys.stderr)
    if len(run.tokenizer()) != shape.vocabulary:
        raise SystemExit(f"the vocabulary came out as {len(run.tokenizer())}, not {shape.vocabulary}")
    keras.utils.set_random_seed(0)
    network = build_network(recipe.model, shape.vocabulary)
    # The logits of an untrained network lie so close together that no two programs agree on the highest one, and the
    # export would refuse the file. Spread like a trained network's, they take as long to compute.
    some = np.random.default_rng(0).integers(1, shape.vocabulary, (16, 16)).astype(np.int32)
    last = network.get_layer("logits")
    kernel, bias = last.get_weights()
    last.set_weights([kernel * (3.0 / np.std(np.asarray(network(some)))), bias])
    network.save(run.network_file)
    architecture = {**recipe.to_dict()["model"], "parameters": network.count_params()}
    run.save_json(
        run.card_file,
        {"name": path.name, "architecture": architecture, "training": {"weights": fingerprint(network)}},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quantize")
    arguments = parser.parse_args()
    make(arguments.shape, arguments.folder, arguments.quantize)
