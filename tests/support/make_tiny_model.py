"""Makes the model file of ``genrun.testing``: ``python -m support.make_tiny_model`` in the folder ``tests``.

It is trained on the corpus beside it, for some seconds. The weights of another machine may differ in their last
digits, so it is made only if the corpus, the recipe or the format of model files changes.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from genrun_export.exporting import export
from support.trained import train

__all__ = ["RECIPE", "TESTING", "make"]

TESTING = Path(__file__).parents[2] / "runtime" / "genrun" / "testing"
RECIPE = Path(__file__).with_name("tiny_model.toml")


def make(model: Path) -> None:
    """Train the network and write its model file to ``model``."""
    with tempfile.TemporaryDirectory() as folder:
        run = train([TESTING / "tiny_corpus.txt"], str(RECIPE), Path(folder, "run"))
        made = Path(folder, "tiny.onnx")
        export(run, made)
        shutil.copyfile(made, model)


if __name__ == "__main__":
    make(TESTING / "tiny_model.onnx")
