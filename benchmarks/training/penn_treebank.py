"""Penn Treebank as running text: test perplexity of the run, and of its file scored without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from measuring import genrun

from training.measure import Row, perplexity


def run(shared: Path, work: Path) -> list[Row]:
    """Train with the recipe ``ptb``; return time and perplexities."""
    data, out, file = shared / "data" / "ptb", work / "ptb", work / "ptb.onnx"
    trained = genrun(
        *("train", data / "ptb.train.txt", "--validation", data / "ptb.valid.txt", "--recipe", "ptb", "-o", out)
    )
    genrun("export", out, "-o", file)
    test = data / "ptb.test.txt"
    by_run, by_file = perplexity(out, test), perplexity(file, test)
    ratio = by_file["perplexity"] / by_run["perplexity"] - 1
    command = (
        "genrun train ../shared/data/ptb/ptb.train.txt --validation …/ptb.valid.txt --recipe ptb -o RUN; "
        "genrun evaluate RUN …/ptb.test.txt"
    )
    return [
        Row(
            "Penn Treebank, test perplexity",
            f"{by_run['perplexity']:.2f} after {trained.seconds / 60:.1f} min ({by_run['tokens']:,} tokens)",
            "114.5 (small LSTM, Zaremba et al. 2014), 141 (5-gram)",
            command,
        ),
        Row("the same, of the exported file", f"{by_file['perplexity']:.2f} ({ratio:+.4%})", "the run", command),
    ]
