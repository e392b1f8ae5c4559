"""The run folder: what training leaves, where it is, and how a command opens one that it did not make.

run.toml         everything resolved: recipe, sources, versions
tokenizer.json   the tokenizer
tokens/          the corpus as token ids
corpus.json      what reading the corpus counted; written last, so it says that tokens/ is complete
checkpoint/      the latest complete state of training
model.keras      the best network
counting.npz     the n-gram model, in the place of a network or mixed with it
metrics.csv      a row for each epoch
loss.png         the same as curves
card.json        what the model file will say of its making
base/            what the training began with: another run's tokenizer and, for fine-tuning, its network
.lock            there while a training runs

What training reads back has a digest: of itself, or, as the tokens, in corpus.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genrun.checks.short_text import shown
from genrun.errors import GenrunError, OptionError, RunFolderError, one_line
from genrun.tokenizer import Tokenizer
from genrun_core.recipes.output_sections import COPIED
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import is_leftover, remove_leftovers, write_json
from genrun_core.runs.digests import digest_of_file, digest_of_value, with_digest
from genrun_core.runs.run_files import check_places, read_json, require_table
from genrun_core.runs.run_lock import LOCK
from genrun_core.runs.run_settings import made_with, new_settings, read_settings, write_settings
from genrun_core.runs.token_shards import LABELS, SHARDS, TokenShards

__all__ = ["RunFolder"]


class RunFolder:
    """The paths of a run folder, and reading and writing of its small files. Make one by create or open."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.settings = settings
        self.tokens = path / "tokens"
        self.corpus_file = path / "corpus.json"
        self.tokenizer_file = path / "tokenizer.json"
        self.network_file = path / "model.keras"
        self.counting_file = path / "counting.npz"
        self.base = path / "base"
        self.base_network_file = self.base / "model.keras"
        self.base_tokenizer_file = self.base / "tokenizer.json"
        self.base_card_file = self.base / "card.json"
        self.checkpoint_file = path / "checkpoint" / "latest.npz"
        self.metrics_file = path / "metrics.csv"
        self.plot_file = path / "loss.png"
        self.card_file = path / "card.json"

    @classmethod
    def create(cls, path: Path, recipe: Recipe, sources: list[str], validation: Sequence[str] = ()) -> RunFolder:
        """Make a new run folder at a place that :meth:`check_free` found free.

        ``validation``: the sources of documents that are held out, in place of a share of the corpus.

        ``run.toml`` comes first, so that any later kill can be resumed.
        """
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, new_settings(recipe, sources, validation))
        run.save_settings()
        return run

    @staticmethod
    def check_free(path: Path) -> None:
        """Raise RunFolderError unless a run folder can be made at ``path``."""
        if (path / "run.toml").exists():
            raise RunFolderError(f"{path} already holds a run: go on with --resume {path}, or choose another -o")
        if not path.exists():
            return
        passed_over = {"standard-input.txt", LOCK}
        names = {entry.name for entry in path.iterdir() if not is_leftover(entry)} if path.is_dir() else {path.name}
        if names - passed_over:
            raise RunFolderError(f"{path} exists and is not an empty folder; choose another -o")

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run folder that training made; raises RunFolderError if it is not one."""
        return cls(path, read_settings(path))

    def check_places(self) -> None:
        """Raise RunFolderError for a link or a folder where training writes or deletes a file, and the like."""
        folders = (self.tokens, self.base, self.checkpoint_file.parent, self.path / "tensorboard")
        files = (
            *(self.path / "run.toml", self.tokenizer_file, self.corpus_file, self.network_file, self.card_file),
            self.counting_file,
            *(self.metrics_file, self.plot_file, self.checkpoint_file),
            *(self.base_network_file, self.base_tokenizer_file, self.base_card_file),
            *(self.tokens / name for name in (*SHARDS, LABELS)),
        )
        check_places(files, folders)

    def save_settings(self) -> None:
        """Write ``run.toml``."""
        write_settings(self.path, self.settings)

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

    @property
    def validation_sources(self) -> list[str]:
        """The documents that were given for validation, as they were named."""
        return list(self.settings.get("validation_sources", []))

    @property
    def all_sources(self) -> list[str]:
        """Both."""
        return self.sources + self.validation_sources

    @property
    def is_finished(self) -> bool:
        """Whether the training has come to its end: what it writes last is there."""
        counted = self.counting_file.exists() and not self.network_file.exists()
        return self.card_file.exists() and (self.plot_file.exists() or counted)

    def recipe(self) -> Recipe:
        """Return the resolved recipe; raises RunFolderError if it does not fit this version or its plugins."""
        try:
            return Recipe.from_dict(self.settings["recipe"])
        except (KeyError, TypeError, AttributeError, GenrunError) as error:
            others = made_with(self.settings.get("versions")) if isinstance(error, OptionError) else ""
            raise RunFolderError(f"{self.path / 'run.toml'}: {one_line(error)}{others}") from error

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer; raises RunFolderError if it is missing, damaged, or not the one of the tokens."""
        value = self._json(self.tokenizer_file)
        tokenizer = _tokenizer(value, self.tokenizer_file)
        digest = digest_of_value(value)
        if self._digests().get(self.tokenizer_file.name, digest) != digest:
            raise RunFolderError(
                f"{self.tokenizer_file} is not the one that the tokens were made with: "
                f"delete it, and genrun train --resume {self.path} reads the corpus again"
            )
        return tokenizer

    def base_tokenizer(self) -> Tokenizer | None:
        """Return the tokenizer that the run began with, None if it makes its own."""
        if not self.base_tokenizer_file.exists():
            return None
        return _tokenizer(self._json(self.base_tokenizer_file), self.base_tokenizer_file)

    def card(self) -> dict[str, Any]:
        """Return the card; raises RunFolderError if training has not come far enough to leave one.

        It has no digest, since a person may correct what it says about the model.
        """
        card = self._json(self.card_file)
        for name in ("architecture", "corpus", "training"):
            require_table(card, name, self.card_file)
        require_table(card, "versions", self.card_file, str)
        return card

    def has_mixture(self, weights: str | None = None) -> bool:
        """Return whether the card has the figures of a mixture; ``weights``: with a network of these only."""
        try:
            card = self.card()
        except (FileNotFoundError, RunFolderError):
            return False
        return "mixture" in card and weights in (None, card.get("training", {}).get("weights"))

    def max_copied(self) -> int:
        """Return how many words in a row the run's texts shall copy at most, by the card; 0 for any number."""
        found = require_table(self.card(), "texts", self.card_file).get("max_copied", 0)
        if found not in (0, *COPIED):
            accepted = f"0 (off) or from {COPIED[0]} to {COPIED[-1]}"
            raise RunFolderError(f"{self.card_file}: 'max_copied' must be {accepted}, not {shown(found)}")
        return int(found)

    def base_card(self) -> dict[str, Any] | None:
        """Return the card of the run that this one was fine-tuned from, None if it was not."""
        return self._json(self.base_card_file) if self.base_card_file.exists() else None

    def corpus(self) -> dict[str, Any] | None:
        """Return what reading the corpus counted, None if that was not finished."""
        if not self.corpus_file.exists():
            return None
        return {name: value for name, value in self._json(self.corpus_file).items() if name != "digests"}

    def save_corpus(self, counts: Mapping[str, Any]) -> None:
        """Write what reading the corpus counted, with the digests of the tokens and the tokenizer."""
        digests = {path.name: digest_of_file(path) for path in sorted(self.tokens.glob("*.int*"))}
        digests[self.tokenizer_file.name] = digest_of_value(self._json(self.tokenizer_file))
        self.save_json(self.corpus_file, {**counts, "digests": digests})

    def shards(self, tokenizer: Tokenizer) -> TokenShards:
        """Return the tokens that ``tokenizer`` made; raises RunFolderError if they are damaged."""
        shards = TokenShards.open(self.tokens, tokenizer.labels)
        shards.check(self.tokens, len(tokenizer), self._digests())
        return shards

    def save_json(self, path: Path, value: Mapping[str, Any]) -> None:
        """Write one of the folder's JSON files, with its digest unless a person may edit it."""
        write_json(path, dict(value) if path.name == self.card_file.name else with_digest(value))

    def _digests(self) -> dict[str, str]:
        """Return the digests of tokens and tokenizer; none before the corpus is read, or from an older genrun."""
        if not self.corpus_file.exists():
            return {}
        return require_table(self._json(self.corpus_file), "digests", self.corpus_file, str)

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            return read_json(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunFolderError(
                f"{self.path} has no {path.name} yet, its training stopped before: genrun train --resume {self.path}"
            ) from error


def _tokenizer(value: dict[str, Any], path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_json(value)
    except OptionError as error:
        raise RunFolderError(f"{path}: {one_line(error)}") from error
