"""The run folder: what training leaves, where it is, and how a command opens one that it did not make.

run.toml         everything resolved: recipe, sources, versions
tokenizer.json   the tokenizer
tokens/          the corpus as token ids
corpus.json      what reading the corpus counted; written last, so it says that tokens/ is complete
checkpoint/      the latest complete state of training
model.keras      the best network
metrics.csv      a row for each epoch
loss.png         the same as curves
card.json        what the model file will say of its making
"""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from genrun.errors import GenrunError, OptionError, RunFolderError, one_line
from genrun.tokenizer import Tokenizer
from genrun_core.atomic import write_bytes, write_json
from genrun_core.recipe import Recipe

__all__ = ["RunFolder"]

FORMAT_VERSION = 1
_RECORDED = ("genrun", "tensorflow", "keras", "numpy")


class RunFolder:
    """The paths of a run folder, and reading and writing of its small files. Make one by create or open."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.settings = settings
        self.tokens = path / "tokens"
        self.corpus_file = path / "corpus.json"
        self.tokenizer_file = path / "tokenizer.json"
        self.network_file = path / "model.keras"
        self.checkpoint_file = path / "checkpoint" / "latest.npz"
        self.metrics_file = path / "metrics.csv"
        self.plot_file = path / "loss.png"
        self.card_file = path / "card.json"

    @classmethod
    def create(cls, path: Path, recipe: Recipe, sources: list[str]) -> RunFolder:
        """Make a new run folder; ``run.toml`` is its first file, so that any later kill can be resumed.

        Raises RunFolderError if something is there already.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            if (path / "run.toml").exists():
                raise RunFolderError(f"{path} already holds a run: go on with --resume {path}, or choose another -o")
            raise RunFolderError(f"{path} exists and is not an empty folder; choose another -o")
        settings = {
            "format_version": FORMAT_VERSION,
            "sources": sources,
            "recipe": recipe.to_dict(),
            "versions": {name: metadata.version(name) for name in _RECORDED},
        }
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, settings)
        run.save_settings()
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run folder that training made; raises RunFolderError if it is not one."""
        settings_file = path / "run.toml"
        if not settings_file.is_file():
            what = "there is no such folder" if not path.exists() else "it has no run.toml"
            raise RunFolderError(f"{path} is not a run folder: {what} (genrun train -o {path} makes one)")
        try:
            settings = tomllib.loads(settings_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{settings_file}: {one_line(error)}") from error
        version = settings.get("format_version")
        if version != FORMAT_VERSION:
            raise RunFolderError(f"{path} has run format {version!r}; this genrun works with {FORMAT_VERSION}")
        return cls(path, settings)

    def save_settings(self) -> None:
        """Write ``run.toml``."""
        import tomli_w

        write_bytes(self.path / "run.toml", tomli_w.dumps(self.settings).encode())

    def remove_leftovers(self) -> None:
        """Delete files that a kill left half-written; they stand beside those that they were to replace."""
        for path in self.path.rglob(".*.partial*"):
            path.unlink(missing_ok=True)

    @property
    def sources(self) -> list[str]:
        """The corpus as it was named."""
        return list(self.settings.get("sources", []))

    def recipe(self) -> Recipe:
        """Return the resolved recipe; raises RunFolderError if it does not fit this version or its plugins."""
        try:
            return Recipe.from_dict(self.settings["recipe"])
        except (KeyError, GenrunError) as error:
            raise RunFolderError(f"{self.path / 'run.toml'}: {one_line(error)}") from error

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer; raises RunFolderError if it is missing or damaged."""
        try:
            return Tokenizer.from_json(self._json(self.tokenizer_file))
        except OptionError as error:
            raise RunFolderError(f"{self.tokenizer_file}: {one_line(error)}") from error

    def card(self) -> dict[str, Any]:
        """Return the card; raises RunFolderError if training has not come far enough to leave one."""
        card: dict[str, Any] = self._json(self.card_file)
        return card

    def corpus(self) -> dict[str, Any] | None:
        """Return what reading the corpus counted, None if that was not finished."""
        counts: dict[str, Any] | None = self._json(self.corpus_file) if self.corpus_file.exists() else None
        return counts

    def save_json(self, path: Path, value: Any) -> None:
        """Write one of the folder's JSON files."""
        write_json(path, value)

    def _json(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise RunFolderError(
                f"{self.path} has no {path.name} yet, its training stopped before: genrun train --resume {self.path}"
            ) from error
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{path}: {one_line(error)}") from error
