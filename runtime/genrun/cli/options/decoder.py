"""The options of every command that generates: the decoder, its options, and the length of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import click

from genrun.cli.options.group import option_group

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["DecoderOptions", "decoder_options"]


class DecoderOptions(NamedTuple):
    """How the next token is chosen; None and options that are not given stand for the model's own.

    ``temperature``, ``top_k`` and ``top_p`` are short for options, as text (:mod:`genrun.generating.short_options`).
    """

    decoder: str | None
    assignments: tuple[str, ...]
    max_new_tokens: int | None
    temperature: str | None = None
    top_k: str | None = None
    top_p: str | None = None
    max_copied: int | None = None

    def settings(
        self,
        model: Model,
        *,
        seed: int | None,
        stop: tuple[str, ...] = (),
        casing: str | None = None,
        search: Search | None = None,
        constraint: tuple[str, ...] | None = None,
        particles: int | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> GenerationSettings:
        """Return checked settings for ``model``; raises OptionError, UnknownPluginError or PluginError."""
        from genrun.generating.settings import resolve_settings

        decoder, options = self._decoder(model.defaults.decoder)
        return resolve_settings(
            model.defaults,
            decoder=decoder,
            options=options,
            max_new_tokens=self.max_new_tokens,
            seed=seed,
            stop=stop,
            casing=casing,
            search=search,
            constraint=constraint,
            particles=particles,
            max_copied=self.max_copied,
            labels=labels,
        )

    def _decoder(self, own: str) -> tuple[str | None, dict[str, object]]:
        """Return the decoder's name, None for the model's ``own``, and options.

        Raises UsageError for options that contradict each other.
        """
        from genrun.contracts.options import parse_assignments
        from genrun.errors import OptionError
        from genrun.generating.short_options import spelt_out

        given = {"top_k": self.top_k, "top_p": self.top_p, "temperature": self.temperature}
        short = {name: value for name, value in given.items() if value is not None}
        assignments = parse_assignments(self.assignments)
        try:
            return spelt_out(own, self.decoder, assignments, short, flags=True)
        except OptionError as error:
            raise click.UsageError(str(error)) from error


decoder_options = option_group(
    "choosing",
    DecoderOptions,
    click.option("--max-new-tokens", type=int, help="Most new tokens of each text. [default: the model's]"),
    click.option("--decoder", help="How the next token is chosen (see genrun plugins). [default: the model's]"),
    click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="An option of the decoder."),
    click.option("--temperature", metavar="T", help="Below 1 safer, above 1 more varied: --set temperature=T."),
    click.option("--top-k", metavar="K", help="Choose from the K likeliest: k of the decoder or stage top-k."),
    click.option("--top-p", metavar="P", help="From the likeliest with probability P: p of top-p, likewise."),
    click.option("--max-copied", type=int, metavar="N", help="Copy at most N words in a row (4 to 7; 0: any)."),
)
