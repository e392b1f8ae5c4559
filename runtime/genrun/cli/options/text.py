"""The options of ``genrun generate`` that say what a text must be like, besides how its tokens are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from genrun.cli.options.decoder import DecoderOptions
from genrun.cli.options.group import option_group
from genrun.cli.options.label import label_option

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["SettingsFor", "TextOptions", "text_options"]

SettingsFor = Callable[["Model", "int | None"], "GenerationSettings"]  # of a model, and a seed that was begun with


class TextOptions(NamedTuple):
    """What texts depend on besides the decoder and the search; None stands for the model's own, or a new seed."""

    seed: int | None
    stop: tuple[str, ...]
    constraint: tuple[str, ...]
    particles: int | None
    casing: str | None
    labels: dict[str, str]

    def settings(
        self, choosing: DecoderOptions, search: Search | None, model: Model, begun: int | None
    ) -> GenerationSettings:
        """Return checked settings for ``model``; ``begun`` is the seed of the texts that --resume goes on with.

        Raises OptionError, UnknownPluginError or PluginError.
        """
        return choosing.settings(
            model,
            seed=begun if self.seed is None else self.seed,
            stop=tuple([text.replace(r"\n", "\n") for text in self.stop]),  # written as texts are printed
            casing=self.casing,
            search=search,
            constraint=self.constraint or None,
            particles=self.particles,
            labels=self.labels,
        )


text_options = option_group(
    "text",
    TextOptions,
    click.option("--seed", type=int, help="Same seed, same text. [default: a fresh one, shown]"),
    click.option("--stop", metavar="TEXT", multiple=True, help=r"End a text before TEXT; \n is a line break."),
    click.option("--constraint", metavar="PARTS", multiple=True, help="What a text must meet: words:6,never:storm."),
    click.option("--particles", type=int, help="For --constraint; more are more exact. [default: 32; long texts 16]"),
    click.option("--casing", help="none, corpus, title, sentence or upper. [default: the model's]"),
    label_option("Texts of this kind, if MODEL was trained with labels (see genrun info)."),
)
