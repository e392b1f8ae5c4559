"""Hold this checkout against another one: the same seeds must give the same weights and the same texts, to the bit.

    python benchmarks/same_as.py OTHER [--prompts 10000] [--corpora FOLDER]

OTHER is a checkout of another commit. Both train four recipes on the samples, or on corpora in FOLDER (``nyt``,
``songs``), and the file that OTHER exports is used by both: each continues the same prompts with every built-in
decoder. Needs an environment with genrun[train,cpu]. Prints a line for each comparison; exit status 1 if one differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
_ROOTS = ("runtime", "plugins", "core", "export")
_SAMPLES = HERE / "examples" / "samples"
_HARBOUR = HERE / "examples" / "harbour.toml"


def trainings(corpora: Path | None) -> dict[str, list[str]]:
    """Return the arguments of ``genrun train`` for each training; every one takes a minute or less."""
    small = ["--set", "hidden_size=64", "--set", "embedding_size=32", "--set", "epochs=2"]
    songs = [str(corpora / "songs" / "*.txt")] if corpora else [str(_SAMPLES / "songs" / "*.txt")]
    april = str(corpora / "nyt" / "ArticlesApril2018.csv") if corpora else str(_SAMPLES / "headlines")
    return {
        "racetrack": [str(_SAMPLES / "racetrack.txt"), "--recipe", "racetrack"],
        "harbour": [str(_SAMPLES / "headlines"), "--recipe", str(_HARBOUR), "--set", "epochs=5"],
        "april-2018": [april, "--recipe", "april-2018", "--set", "epochs=3"],
        "lyricist": [*songs, "--recipe", "lyricist", *small],
    }


_GENERATE = """
import sys, hashlib, genrun
model, count, digest = genrun.load(sys.argv[1], device="cpu"), int(sys.argv[2]), hashlib.sha256()
words = model.tokenizer.vocabulary[len(model.tokenizer.specials):]
picked = [[(7 * i + 13 * j) % len(words) for j in range(1 + i % 4)] for i in range(count)]
prompts = [" ".join(words[k] for k in places) for places in picked]
for decoder, options in (("greedy", {}), ("top-k", {"k": 20, "temperature": 0.9}), ("temperature", {})):
    for size in (64, 1):
        some = prompts if size > 1 else prompts[: count // 20]
        asked = {"seed": 7, "batch_size": size, "max_new_tokens": 12, **options}
        for result in model.generate_many(some, decoder=decoder, **asked):
            digest.update(repr((result.text, result.ids)).encode())
for text in prompts[:200]:
    digest.update(repr([s.id for s in model.suggest(text + " ")]).encode())
print(digest.hexdigest())
"""


def described(checkout: Path, folder: Path) -> Path:
    """Write what an installation would know of a checkout, its entry points, to ``folder``, and return that."""
    folder.mkdir()
    setup = "from setuptools import setup; setup()"
    command = [sys.executable, "-c", setup, "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    return folder


def run(checkout: Path, metadata: Path, *arguments: str) -> str:
    """Run Python with the packages of a checkout and return what it prints."""
    path = os.pathsep.join([str(metadata), *(str(checkout / root) for root in _ROOTS)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "GENRUN_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, "-P", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{checkout}: {' '.join(arguments)[:200]}: {done.stderr.strip()}")
    return done.stdout.strip()


def weights(folder: Path) -> str:
    """Return a digest of the weights of a run folder."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()


def main() -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--corpora", type=Path)
    arguments = parser.parse_args()
    differences = 0
    with tempfile.TemporaryDirectory() as temporary:
        sides = {"other": arguments.other.resolve(), "this": HERE}
        checkouts = [(path, described(path, Path(temporary) / side)) for side, path in sides.items()]
        for name, training in trainings(arguments.corpora).items():
            folders = [Path(temporary) / f"{name}-{side}" for side in sides]
            for checkout, folder in zip(checkouts, folders, strict=True):
                run(*checkout, "-m", "genrun", "train", *training, "-o", str(folder))
            same_weights = weights(folders[0]) == weights(folders[1])
            model = f"{folders[0]}.onnx"
            run(*checkouts[0], "-m", "genrun", "export", str(folders[0]), "-o", model)
            texts = [run(*checkout, "-c", _GENERATE, model, str(arguments.prompts)) for checkout in checkouts]
            same_texts = texts[0] == texts[1]
            differences += (not same_weights) + (not same_texts)
            said = [f"{what} {'the same' if same else 'DIFFER'}"
                    for what, same in (("weights", same_weights), ("texts", same_texts))]  # fmt: skip
            print(f"{name}: {', '.join(said)}", flush=True)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
