"""Large networks on two months of headlines: the peak memory of training and of exporting them."""

from __future__ import annotations

import json
from pathlib import Path

from measuring import genrun

from training.measure import Row

_SETTINGS = {"layers": 2, "embedding_size": 256, "vocabulary_limit": 5_000, "epochs": 2, "validation": 0.1}
_SIZES = (1_024, 1_536)


def run(shared: Path, work: Path) -> list[Row]:
    """Return the peak memories, beside 2.5 times the weights and 1 GiB."""
    corpus = [shared / "data" / "nyt" / f"ArticlesApril{year}.csv" for year in (2017, 2018)]
    rows = []
    for size in _SIZES:
        trained, file = work / f"large-{size}", work / f"large-{size}.onnx"
        settings = [f"--set={name}={value}" for name, value in {"hidden_size": size, **_SETTINGS}.items()]
        training = genrun("train", *corpus, "--recipe", "nyt-headlines", *settings, "-o", trained)
        export = genrun("export", trained, "-o", file)
        parameters = json.loads((trained / "card.json").read_text(encoding="utf-8"))["architecture"]["parameters"]
        allowed = f"{2.5 * 4 * parameters / 2**20 + 1024:.0f} MiB"
        what = f"LSTM 2 × {size:,}, {parameters / 1e6:.1f} million weights"
        for done, command in ((training, "train"), (export, "export")):
            rows.append(Row(f"{what}: {command}", f"{done.mebibytes:.0f} MiB", allowed, f"genrun {command}"))
    return rows
