"""Held-out perplexity of ``default`` against the shapes of the tutorials, on the same text with the same words."""

from __future__ import annotations

from pathlib import Path

from measuring import genrun

from training.measure import Row, held_out

# The tutorials' networks on the words of ``default``; each may stop at its best epoch.
_PLAIN = {"tied": "false", "locked_dropout": "false", "recurrent_dropout": "0", "embedding_dropout": "0"}
_PLAIN |= {"input_dropout": "0", "sampled_softmax": "0", "schedule": "constant", "warmup_steps": "0", "patience": "2"}
SHAPES = {
    "headlines": {"embedding_size": "10", "hidden_size": "100", "dropout": "0.1", "learning_rate": "0.01"}
    | {"clip_norm": "0", "batch_size": "32", "epochs": "30"},
    "lyricist": {"embedding_size": "256", "hidden_size": "1024", "layers": "2", "dropout": "0"}
    | {"learning_rate": "0.003", "batch_size": "64", "epochs": "30"},
}
CORPORA = {  # each with its reader, and with what all three networks are given
    "nyt": ("nyt-csv", {}),
    "songs": ("lyrics-glob", {"vocabulary_limit": "7001"}),  # the lyricist's own limit
}


def run(shared: Path, work: Path) -> list[Row]:
    """Train ``default`` and both shapes on both corpora; 10% of the documents, the same ones, are held out."""
    rows = []
    for corpus, (reader, common) in CORPORA.items():
        best = {}
        for name, settings in {"default": {}, **{name: _PLAIN | shape for name, shape in SHAPES.items()}}.items():
            out = work / f"quality-{corpus}-{name}"
            settings = {**common, **settings}
            given = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
            genrun("train", shared / "data" / corpus, "--reader", reader, *given, "-o", out)
            best[name] = held_out(out)
        others = ", ".join(f"{best[name][1]:.1f} {name} (epoch {best[name][0]})" for name in SHAPES)
        rows.append(
            Row(
                f"{corpus}, held-out perplexity of default",
                f"{best['default'][1]:.1f} (epoch {best['default'][0]})",
                others,
                f"genrun train ../shared/data/{corpus} --reader {reader} -o RUN",
            )
        )
    return rows
