"""Texts, chains and tokenizers that the JavaScript runtime is compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genrun.tokenizer import Normalization, Tokenizer
from genrun.tokenizer.building.extension import with_labels
from genrun.tokenizer.labels import Label, Labels
from genrun.tokenizer.words.written_forms import WrittenForms
from support.subwords import chain, subwords

__all__ = ["STAGES", "TEXTS", "tokenizers"]

_MARKS = {"leading": "“‘\"'([{", "trailing": "”’\"').,!?;:]}…"}
_SPECIALS = ("<pad>", "<unk>", "<start>", "<end>")
_WORDS = (
    *("the", "sea", "sky", "don’t", "is", "is:", "u.s.", "iphone", "new", "york", "ferry", "ß", "ǆ", "ok", "1786"),
    *(",", ".", "!", "?", "”", "“", '"', "'", "„", "’s", "n’t", "$", "(", ")"),
)
TEXTS = (
    "",
    " ",
    "the sea",
    "The  Sea is\xa0NEW.",
    "“The sea,” don’t the (sky)!",
    "U.S. $1786? iPhone’s",
    "<start> the sea",
    "the sea\n\n\nthe sky\r\nis\rnew",
    "straße ǆ ΑΣ İ",
    "e\u0301te\u0301 \u2028 sky\x85sea\ufeff \x1cok",
    "the “",
    '"',
    'the "sea" \'sky',
    "?!?! \u2060the",
    "unknown words here",
    "今天 the 天气。iPhone",
    "don’",
    "the pres",
    "the  ",
    "\n",
    "a\u200d👩\u200d🔬 b",
    "th",
    "new y",
    "sky.sea",
    "((the)) ...",
)
STAGES = (
    "greedy",
    "draw",
    "temperature:0.7",
    "top-k:5",
    "top-k:k=7;temperature=1.3",
    "top-k:40,temperature:0.8",
    "top-p:0.8",
    "temperature:0.5,top-p:0.9",
    "top-p:p=0.9;temperature=0.6;repeats=false",
    "top-p:p=0.5;repeats=no,temperature:2",
    "min-p:0.1,temperature:0.8",
    "min-p:0.02",
    "typical:0.7",
    "typical",
    "epsilon:0.02",
    "eta:0.05",
    "top-n-sigma:1.2",
    "xtc:0.02;probability=0.6,temperature:1.5",
    "dynamic-temperature:0.3;high=2;exponent=0.8",
    "rare:150;bias=0.7,top-p:0.7",
    "repetition:1.4,greedy",
    "repetition:1.2;window=3",
    "presence:1.5,greedy",
    "frequency:0.8;window=0,top-k:3",
    "dry,greedy",
    "dry:2;base=1.5;allowed=1;breakers=[]",
    "no-repeat-ngram:2,greedy",
    "no-repeat-ngram:1",
    "min-length:9,greedy",
    "quotation",
    "quotation,top-p:0.9",
    'banned:phrases=["the","sea is"],greedy',
    'wanted:phrases=["sky","new york"];bias=6',
    "mirostat:2",
    "min-p:0.01,mirostat:tau=3;eta=0.5",
    "huggingface:temperature=0.7;top_p=0.9;repetition_penalty=1.1",
    "llama.cpp",
    "llama.cpp:dry_multiplier=0.8;xtc_probability=0.5;typical=0.9;top_nsigma=2;presence_penalty=0.3",
    "min-p:0.3,top-k:2,greedy",
    "top-k:1",
    "genrun:top-k:3",
    "temperature:1e-40,top-p:0.9",
    "min-p:0.05,quotation,top-k:4",
    "no-copied-line:0.9,top-p:0.9",
    "max-copied:4,top-p:0.9",
)


def tokenizers() -> dict[str, Tokenizer]:
    """Return tokenizers of every kind, by name."""
    edges = ({"step": "isolate_edges", **_MARKS}, {"step": "collapse_spaces"})
    marks = ({"step": "nfc"}, {"step": "lowercase"}, {"step": "mark_edges", **_MARKS})
    many = (
        *({"step": name} for name in ("nfc", "lowercase", "strip", "drop_non_ascii", "collapse_spaces")),
        {"step": "remove", "characters": "]^-\\"},
        {"step": "space_out", "characters": "&/"},
        {"step": "isolate", "characters": ".!?"},
        {"step": "keep", "characters": "abcdefghijklmnopqrstuvwxyz .!?'"},
    )
    joined = [f"{mark}\u2060" for mark in "“\"'("] + [f"\u2060{mark}" for mark in "”\"',.!?)“"]
    marked = [*_WORDS, *joined]
    forms = {"forms": "....CCU.....CCC", "others": {"9": "iPhone"}, "capitalize_first": True}
    size = len(_SPECIALS) + len(_WORDS)
    written = WrittenForms.from_json(forms, size)
    merges = chain(" the", " sea", " president", " sky", " new", " York", "don", "今天", "’t", " 17")
    labels = Labels([Label("author", ("Burns", "Byron"), True), Label("year", ("1786",))], size)
    no_start = Tokenizer(
        kind="word", vocabulary=["<end>", *_WORDS], specials=["end"], normalization=Normalization(many)
    )
    return {
        "edges": _words(_WORDS, edges, written=written),
        "marks": _words(marked, marks, written=written),
        "steps": no_start,
        "spaces": _words(_WORDS, split_on="space"),
        "lines": _words(["\n", *marked], marks, line_breaks=True),
        "running": _words(_WORDS).with_end_text("\n"),
        "labels": with_labels(_words(_WORDS), labels),
        "characters": _words([*dict.fromkeys("the sea sky.!?\nßS👩")], [{"step": "nfc"}], kind="char"),
        "subwords": subwords(*merges, normalization=[{"step": "nfc"}]),
        "running subwords": subwords(*merges).with_end_text("\n\n"),
    }


def _words(
    vocabulary: Sequence[str], steps: Sequence[Mapping[str, str]] = (), *, kind: str = "word", **settings: Any
) -> Tokenizer:
    return Tokenizer(
        kind=kind,
        vocabulary=[*_SPECIALS, *vocabulary],
        specials=("pad", "unk", "start", "end"),
        normalization=Normalization(steps),
        **settings,
    )
