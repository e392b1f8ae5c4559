"""The options of every command that generates: the decoder, its options, and the length of a text."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["DecoderOptions", "decoder_options"]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """How the next token is chosen; None and options that are not given stand for the model's own."""

    decoder: str | None
    assignments: tuple[str, ...]
    max_new_tokens: int | None

    def settings(
        self, model: Model, *, seed: int | None, stop: tuple[str, ...] = (), casing: str | None = None
    ) -> GenerationSettings:
        """Return checked settings for ``model``; raises OptionError, UnknownPluginError or PluginError."""
        from genrun.generating.settings import resolve_settings
        from genrun.options import parse_assignments

        return resolve_settings(
            model.defaults,
            decoder=self.decoder,
            options=parse_assignments(self.assignments),
            max_new_tokens=self.max_new_tokens,
            seed=seed,
            stop=stop,
            casing=casing,
        )


def decoder_options(command: Command) -> Command:
    """Give a command ``--max-new-tokens``, ``--decoder`` and ``--set``, as one parameter ``choosing``."""

    @functools.wraps(command)
    def with_options(
        *arguments: Any, decoder: str | None, assignments: tuple[str, ...], max_new_tokens: int | None, **values: Any
    ) -> Any:
        return command(*arguments, choosing=DecoderOptions(decoder, assignments, max_new_tokens), **values)

    most = click.option("--max-new-tokens", type=int, help="Most new tokens of each text. [default: the model's]")
    decoder = click.option(
        "--decoder", help="How the next token is chosen (see genrun plugins). [default: the model's]"
    )
    assignments = click.option(
        "--set", "assignments", metavar="KEY=VALUE", multiple=True, help="An option of the decoder."
    )
    return most(decoder(assignments(with_options)))
