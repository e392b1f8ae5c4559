"""The sound model files that are damaged: small ones that use much of the format."""

from __future__ import annotations

from pathlib import Path

import onnx

from genrun.loading.recorded_checks import GoldenText
from genrun.tokenizer import Normalization, Tokenizer
from genrun.tokenizer.tokenizer import WrittenForms
from support.alphabet import babble_table, random_drift, words, write_model

__all__ = ["base_files", "gated_step"]

_STEPS = [
    {"step": "nfc"},
    {"step": "lowercase"},
    {"step": "isolate", "characters": ".,!?"},
    {"step": "isolate_edges", "leading": "“(", "trailing": "”)"},
    {"step": "collapse_spaces"},
]


def base_files(folder: Path) -> list[bytes]:
    """Return the content of the files; ``folder`` is where they are written meanwhile."""
    plain = words("love", "stop", ",", ".", "“", "”", "you", "i")
    marks = [f"<{name}>" for name in plain.specials]
    written = WrittenForms("....C.U*...."[: len(plain)], {7: "LoVe"}, True)
    rich = Tokenizer(
        kind="word",
        vocabulary=[*marks, *plain.vocabulary[len(marks) :]],
        specials=plain.specials,
        normalization=Normalization(_STEPS),
        written=written,
    )
    golden = GoldenText("i love", (2, 11, 4), (5,), "i love stop", ((5, 1.0), (4, 0.5)))
    files = []
    for choosing in (False, True):
        path = write_model(
            folder / f"base-{choosing}.onnx",
            rich,
            table=babble_table(len(rich)),
            drift=random_drift(len(rich)),
            decoder="top-k",
            options={"k": 5},
            casing="corpus",
            golden=[golden],
            card={"name": "babble", "training": {"loss": 1.5}},
            choosing=choosing,
        )
        files.append(path.read_bytes())
    return files


def gated_step(content: bytes) -> onnx.ModelProto:
    """Return a base file as what onnx makes of it."""
    model = onnx.ModelProto()
    model.ParseFromString(content)
    return model
