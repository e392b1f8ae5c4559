"""A headline model fine-tuned on songs with its embedding frozen: against itself, and against beginning anew."""

from __future__ import annotations

from pathlib import Path

from measuring import genrun

from training.measure import Row, held_out

EPOCHS = 2


def run(shared: Path, work: Path) -> list[Row]:
    """Return held-out perplexities on songs: of the headline model, fine-tuned, and trained as long from scratch."""
    headlines, songs = work / "fine-base", shared / "data" / "songs"
    genrun("train", shared / "data" / "nyt", "--recipe", "nyt-headlines", "-o", headlines)
    settings = ["--reader", "lyrics-glob", "--set", "validation=0.1", "--set", f"epochs={EPOCHS}"]
    tuned, anew, untouched = work / "fine-tuned", work / "fine-scratch", work / "fine-untouched"
    genrun("train", songs, "--from", headlines, *settings, "--set", "freeze=embedding", "-o", tuned)
    genrun("train", songs, "--recipe", "nyt-headlines", "--words-of", headlines, *settings, "-o", anew)
    # A rate that moves nothing measures the headline model on the same held-out songs.
    still = ["--set", "learning_rate=1e-30", "--set", "epochs=1", "--set", "optimizer=sgd"]
    genrun("train", songs, "--from", headlines, *settings[:4], *still, "-o", untouched)
    return [
        Row(
            f"songs, held-out perplexity after {EPOCHS} epochs of fine-tuning",
            f"{held_out(tuned)[1]:.1f}",
            f"{held_out(untouched)[1]:.1f} before, {held_out(anew)[1]:.1f} as long from scratch, the same words",
            "genrun train ../shared/data/songs --from RUN --set freeze=embedding …",
        )
    ]
