"""How one call generates: the model's defaults with the caller's wishes on top, checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genrun import registry
from genrun.contracts import Decoder
from genrun.draws import check_seed
from genrun.errors import OptionError, UnknownPluginError
from genrun.model_file import GenerationDefaults, check_max_new_tokens
from genrun.tokenizer.detokenizer import check_casing

__all__ = ["GenerationSettings", "resolve_settings"]


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """A complete, checked set of choices; ``stops`` are texts that end a continuation."""

    decoder: Decoder
    max_new_tokens: int
    seed: int
    stops: tuple[str, ...]
    casing: str


def resolve_settings(
    defaults: GenerationDefaults,
    *,
    decoder: str | Decoder | None = None,
    options: Mapping[str, object] | None = None,
    max_new_tokens: int | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    casing: str | None = None,
) -> GenerationSettings:
    """Return the settings of a call. The options of the model's own decoder stay unless they are overridden.

    Raises OptionError for a value that is not accepted, UnknownPluginError or PluginError for the decoder.
    """
    if max_new_tokens is None:
        max_new_tokens = defaults.max_new_tokens
    stops = _stops(stop)
    return GenerationSettings(
        decoder=_decoder(defaults, decoder, options or {}),
        max_new_tokens=check_max_new_tokens(max_new_tokens),
        seed=check_seed(seed),
        stops=stops,
        casing=check_casing(defaults.casing if casing is None else casing),
    )


def _stops(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    try:
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
    except TypeError:
        raise OptionError(f"a stop must be text, not {stop!r}") from None
    if not all(isinstance(text, str) for text in stops):
        raise OptionError(f"a stop must be text, not {stop!r}")
    if "" in stops:
        raise OptionError("a stop text must not be empty")
    return stops


def _decoder(defaults: GenerationDefaults, decoder: str | Decoder | None, options: Mapping[str, object]) -> Decoder:
    if decoder is None or decoder == defaults.decoder:
        try:
            return registry.make_decoder(defaults.decoder, {**defaults.options, **options})
        except UnknownPluginError as error:
            if decoder is not None:
                raise
            raise UnknownPluginError(f"the model's own decoder is not installed; name another: {error}") from error
    if isinstance(decoder, str):
        return registry.make_decoder(decoder, options)
    if options:
        raise OptionError(f"options {sorted(options)} go with a decoder's name, not with a decoder object")
    if isinstance(decoder, type) or not callable(getattr(decoder, "choose", None)):
        raise OptionError(f"a decoder must be a name or an object with a method 'choose', not {decoder!r}")
    return decoder
