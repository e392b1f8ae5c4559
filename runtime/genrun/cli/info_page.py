"""What a model file records, as a page for people; ``--json`` has all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["page"]

_HIDDEN = {  # for programs
    "corpus": ("fingerprint", "distinct_for_95", "predicted", "too_short", "held_out_unknown", "held_out_words"),
    "training": ("weights", "accuracy", "learning_rate"),
    "verification": ("steps", "fed_ids", "allowed_ratio", "largest_logit_difference", "batch_sizes", "mixture"),
    "architecture": ("tied", "dropout", "input_dropout", "recurrent_dropout", "embedding_dropout", "locked_dropout"),
}
_NAMES = {
    ("corpus", "percentile_95"): "length of 95 %",
    ("corpus", "median"): "median length",
    ("corpus", "longest"): "longest",
    ("corpus", "distinct"): "different words",
    ("training", "loss"): "loss in training",
    ("training", "perplexity"): "perplexity in training",
    ("training", "known_perplexity"): "of known words in training",
    ("training", "val_loss"): "held-out loss",
    ("training", "val_perplexity"): "held-out perplexity",
    ("training", "val_known_perplexity"): "of known words",
    ("counting", "known_perplexity"): "of known words",
    ("mixture", "known_perplexity"): "of known words",
    ("verification", "rounding_ratio"): "rounding, times Keras's",
    ("verification", "weights"): "weights compared",
    ("verification", "perplexity"): "perplexity of the file",
    ("verification", "keras_perplexity"): "perplexity by Keras",
    ("file", "bytes"): "size",
    ("quantization", "float32_bytes"): "size in float32",
}
_AS_IT_IS = ("seed", "date")


def page(described: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a page: each section with its values in words, without what only programs use.

    >>> for line in page({"training": {"perplexity": 14.657515, "weights": "b35e", "running text": False}}):
    ...     print(line)
    training
      perplexity in training  14.66
      running text            no
    """
    for section, values in described.items():
        hidden = _HIDDEN.get(section, ())
        rows = [
            (_NAMES.get((section, name), name.replace("_", " ")), _in_words(name, value))
            for name, value in values.items()
            if name not in hidden and value not in ("", None, {}, [])
        ]
        if rows:
            yield section
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            yield f"  {name:{width}}  {value}"


def _in_words(name: str, value: Any) -> str:
    """Return a value of any type as a person writes it.

    >>> _in_words("options", {"p": 0.95, "repeats": False}), _in_words("bytes", 864181), _in_words("seed", 4000)
    ('p 0.95, repeats no', '843.9 KiB', '4000')
    """
    if isinstance(value, str) or name in _AS_IT_IS:
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _size(value) if name.endswith("bytes") else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 and value == value else f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(str(key), entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_in_words("", entry) for entry in value)
    return "-" if value is None else str(value)


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
