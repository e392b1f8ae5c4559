"""A model file of 32 KB and the corpus that it was trained on; both are in the package."""

from __future__ import annotations

import functools
from pathlib import Path

from genrun.loading.metadata import Metadata
from genrun.loading.opening import opened

__all__ = ["tiny_corpus", "tiny_metadata", "tiny_model"]

_FOLDER = Path(__file__).parent


def tiny_model() -> Path:
    """Return the path of a model file: words, line breaks, couplets of some 15 words; do not change it.

    >>> import genrun
    >>> model = genrun.load(tiny_model(), device="cpu")
    >>> model.tokenizer.kind, model.generate("the sea", seed=7) == model.generate("the sea", seed=7)
    ('word', True)
    """
    return _FOLDER / "tiny_model.onnx"


def tiny_corpus() -> Path:
    """Return the path of the corpus of :func:`tiny_model`: 12 couplets with a blank line between them, UTF-8.

    >>> tiny_corpus().read_text("utf-8").splitlines()[:2]
    ['the sea is wide, the sea is deep,', 'the harbour lights have gone to sleep.']
    """
    return _FOLDER / "tiny_corpus.txt"


@functools.cache
def tiny_metadata() -> Metadata:
    """Return what the tiny model records, its tokenizer for one; onnxruntime is not needed for that."""
    file = opened(tiny_model())
    return Metadata.from_properties(file.properties, path=str(file.path))
