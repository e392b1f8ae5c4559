"""447,494 titles: from start to the first step, and the memory of reading them against that of 100,000 of them."""

from __future__ import annotations

import csv
import lzma
import shutil
import sys
from itertools import islice
from pathlib import Path

from measuring import measured

from training.measure import Row

_READ = """
import sys
from pathlib import Path
from genrun_core.corpus.preparation import prepare_corpus
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
recipe = load_recipe("default", {"column": "headline"}, "csv")
run = RunFolder(Path(sys.argv[2]), {"sources": [sys.argv[1]], "recipe": recipe.to_dict()})
run.path.mkdir()
print(*prepare_corpus(run, recipe).report)
"""
_BEGIN = """
import os, sys
from pathlib import Path
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.training.train import train
prepare_backend()
import keras
stop = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: os._exit(0))
train([sys.argv[1]], load_recipe("default", {"column": "headline"}, "csv"), Path(sys.argv[2]), callbacks=[stop])
"""


def run(shared: Path, work: Path) -> list[Row]:
    """Return the seconds to the first step and the peak memories."""
    large, small = work / "titles.csv", work / "titles-100k.csv"
    with lzma.open(shared / "data" / "scale" / "titles-447k.csv.xz") as packed, large.open("wb") as file:
        shutil.copyfileobj(packed, file)
    with large.open(encoding="utf-8", newline="") as whole, small.open("w", encoding="utf-8", newline="") as part:
        csv.writer(part).writerows(islice(csv.reader(whole), 100_001))
    peaks = []
    for path in (large, small):
        read = [sys.executable, "-c", _READ, str(path), str(work / f"read-{path.stem}")]
        peaks.append(measured(read, {"GENRUN_CACHE": "off"}).mebibytes)
    begin = [sys.executable, "-c", _BEGIN, str(large), str(work / "titles")]
    seconds = measured(begin, {"GENRUN_CACHE": "off"}).seconds
    return [
        Row(
            "447,494 titles, start to first step", f"{seconds:.1f} s", "60 s", "genrun train titles.csv --reader csv"
        ),
        Row(
            "the same, peak memory of reading, counting, encoding",
            f"{peaks[0]:.0f} MiB",
            f"{peaks[1]:.0f} MiB for 100,000 of them ({peaks[0] / peaks[1] - 1:+.1%})",
            "the same",
        ),
    ]
