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
base/            what the training began with: another run's tokenizer and, for fine-tuning, its network
"""

from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path
from typing import Any

from genrun.errors import GenrunError, OptionError, RunFolderError, one_line
from genrun.tokenizer import Tokenizer
from genrun_core.atomic import remove_leftovers, write_bytes, write_json
from genrun_core.recipe import Recipe

__all__ = ["RunFolder"]

FORMAT_VERSION = 2  # 2: recurrent layers return their states, checkpoints stand within an epoch
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
        self.base = path / "base"
        self.base_network_file = self.base / "model.keras"
        self.base_tokenizer_file = self.base / "tokenizer.json"
        self.base_card_file = self.base / "card.json"
        self.checkpoint_file = path / "checkpoint" / "latest.npz"
        self.metrics_file = path / "metrics.csv"
        self.plot_file = path / "loss.png"
        self.card_file = path / "card.json"
        self.notes: list[str] = []  # how its parts came to be, where somebody may want to know

    @classmethod
    def create(cls, path: Path, recipe: Recipe, sources: list[str]) -> RunFolder:
        """Make a new run folder at a place that :meth:`check_free` found free.

        ``run.toml`` comes first, so that any later kill can be resumed.
        """
        settings = {
            "format_version": FORMAT_VERSION,
            "sources": sources,
            "recipe": recipe.to_dict(),
            "versions": {name: _version(name) for name in _RECORDED},
        }
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, settings)
        run.save_settings()
        return run

    @staticmethod
    def check_free(path: Path) -> None:
        """Raise RunFolderError unless a run folder can be made at ``path``."""
        if path.is_dir():
            remove_leftovers(path)
        if (path / "run.toml").exists():
            raise RunFolderError(f"{path} already holds a run: go on with --resume {path}, or choose another -o")
        held = {entry.name for entry in path.iterdir()} - {"standard-input.txt"} if path.is_dir() else {path.name}
        if path.exists() and held:
            raise RunFolderError(f"{path} exists and is not an empty folder; choose another -o")

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run folder that training made; raises RunFolderError if it is not one."""
        settings_file = path / "run.toml"
        if not settings_file.is_file():
            what = "it has no run.toml" if path.is_dir() else "it is a file" if path.exists() else "nothing is there"
            raise RunFolderError(f"{path} is not a run folder: {what}; genrun train CORPUS -o RUN makes one")
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

    def save_recipe(self, recipe: Recipe) -> None:
        """Write ``run.toml`` with another recipe."""
        self.settings["recipe"] = recipe.to_dict()
        self.save_settings()

    def remove_leftovers(self) -> None:
        """Delete files that a kill left half-written; they stand beside those that they were to replace."""
        for folder in (self.path, self.tokens, self.base, self.checkpoint_file.parent):
            remove_leftovers(folder)

    @property
    def sources(self) -> list[str]:
        """The corpus as it was named."""
        return list(self.settings.get("sources", []))

    def recipe(self) -> Recipe:
        """Return the resolved recipe; raises RunFolderError if it does not fit this version or its plugins."""
        try:
            return Recipe.from_dict(self.settings["recipe"])
        except (KeyError, TypeError, AttributeError, GenrunError) as error:
            raise RunFolderError(f"{self.path / 'run.toml'}: {one_line(error)}") from error

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer; raises RunFolderError if it is missing or damaged."""
        try:
            return Tokenizer.from_json(self._json(self.tokenizer_file))
        except OptionError as error:
            raise RunFolderError(f"{self.tokenizer_file}: {one_line(error)}") from error

    def base_tokenizer(self) -> Tokenizer | None:
        """Return the tokenizer that the run began with, None if it makes its own."""
        if not self.base_tokenizer_file.exists():
            return None
        try:
            return Tokenizer.from_json(self._json(self.base_tokenizer_file))
        except OptionError as error:
            raise RunFolderError(f"{self.base_tokenizer_file}: {one_line(error)}") from error

    def card(self) -> dict[str, Any]:
        """Return the card; raises RunFolderError if training has not come far enough to leave one."""
        return self._json(self.card_file)

    def base_card(self) -> dict[str, Any] | None:
        """Return what was said of the run that this one was fine-tuned from, None if it was not."""
        return self._json(self.base_card_file) if self.base_card_file.exists() else None

    def corpus(self) -> dict[str, Any] | None:
        """Return what reading the corpus counted, None if that was not finished."""
        return self._json(self.corpus_file) if self.corpus_file.exists() else None

    def save_json(self, path: Path, value: Any) -> None:
        """Write one of the folder's JSON files."""
        write_json(path, value)

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            value = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise RunFolderError(
                f"{self.path} has no {path.name} yet, its training stopped before: genrun train --resume {self.path}"
            ) from error
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{path}: {one_line(error)}") from error
        if not isinstance(value, dict):
            raise RunFolderError(f"{path} must hold a JSON object")
        return value


def _version(module: str) -> str:
    """Return a package's version whatever its distribution is called (tensorflow-cpu, …)."""
    return str(importlib.import_module(module).__version__)
