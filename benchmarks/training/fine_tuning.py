"""A headline model fine-tuned on songs, its embedding frozen: against itself, and a training from the start."""

from __future__ import annotations

from pathlib import Path

from measuring import genrun

from training.measure import Row, held_out

# One pass in a few dozen steps: what is worth fine-tuning is short. Both are given the rate that suits them best, of
# RATES. In the small steps of the recipe (batch_size=32) the songs are many enough to learn from nothing.
_SHORT = {"validation": "0.1", "epochs": "1", "batch_size": "1024"}
RATES = ("0.01", "0.02", "0.05")
_STILL = {"learning_rate": "1e-30", "optimizer": "sgd"}  # a rate that moves nothing measures what it begins with


def run(shared: Path, work: Path) -> list[Row]:
    """Return held-out perplexities on songs: of the headline model, fine-tuned, and trained as long from scratch."""
    headlines, songs = work / "fine-base", shared / "data" / "songs"
    genrun("train", shared / "data" / "nyt", "--recipe", "nyt-headlines", "-o", headlines)

    def perplexity(name: str, begin: list[object], settings: dict[str, str]) -> float:
        given = [part for key, value in (_SHORT | settings).items() for part in ("--set", f"{key}={value}")]
        genrun("train", songs, *begin, "--reader", "lyrics-glob", *given, "-o", work / f"fine-{name}")
        return held_out(work / f"fine-{name}")[1]

    tuned: list[object] = ["--from", headlines]
    from_the_start: list[object] = ["--recipe", "nyt-headlines", "--words-of", headlines]
    before = perplexity("before", tuned, _STILL | {"calibrate": "false"})
    calibrated = perplexity("calibrated", tuned, _STILL)
    rows = []
    for length, settings in (
        ("one epoch in few large steps", {}),
        ("one epoch, batch_size=32", {"batch_size": "32"}),
    ):
        of_rate = {
            rate: (
                perplexity(
                    f"tuned-{rate}-{settings.get('batch_size', '1024')}",
                    tuned,
                    settings | {"freeze": "embedding", "learning_rate": rate},
                ),
                perplexity(
                    f"start-{rate}-{settings.get('batch_size', '1024')}",
                    from_the_start,
                    settings | {"learning_rate": rate},
                ),
            )
            for rate in RATES
        }
        best = [min(pair[i] for pair in of_rate.values()) for i in range(2)]
        rows.append(
            Row(
                f"songs, held-out perplexity, embedding frozen, {length}",
                f"{best[0]:.1f}",
                f"{best[1]:.1f} from scratch, the same words; {before:,.1f} before, {calibrated:.1f} calibrated",
                "genrun train ../shared/data/songs --from RUN --set freeze=embedding --set batch_size=1024 …",
            )
        )
    return rows
