"""Preparing one corpus again and again, and what is in the cache of corpora afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genrun_core.corpus.preparation import prepare_corpus
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards

__all__ = ["Preparations", "content", "entries"]

REUSED = "the corpus is as it was read before: its tokens are reused (GENRUN_CACHE=off reads it again)"


class Preparations:
    """Run folders made of one corpus; ``readings`` has an item for each time that it was really read."""

    def __init__(self, folder: Path, source: object, readings: list[object]) -> None:
        self.folder, self.source, self.made, self.readings = folder, source, 0, readings
        self.meanwhile: Callable[[], object] | None = None  # done once, while the corpus is read

    def __call__(self, recipe: str = "racetrack", source: object = None, **settings: str) -> tuple[RunFolder, bool]:
        """Prepare another run folder; return it, and whether the corpus was read for it."""
        chosen = load_recipe(recipe, settings)
        run = RunFolder.create(self.folder / f"run-{self.made}", chosen, [str(source or self.source)])
        self.made, before = self.made + 1, len(self.readings)
        corpus = prepare_corpus(run, chosen)
        self.said = list(corpus.report)
        assert corpus.counts.to_json() == run.corpus()
        assert len(TokenShards.open(run.tokens)) == corpus.counts.documents
        assert self.said.count(REUSED) == (before == len(self.readings))
        return run, before < len(self.readings)


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "corpora").iterdir()) if (cache / "corpora").exists() else []


def content(run: RunFolder) -> dict[str, bytes]:
    files = (*run.tokens.iterdir(), run.tokenizer_file, run.corpus_file)
    return {path.name: path.read_bytes() for path in files}
