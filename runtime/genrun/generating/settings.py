"""How one call generates: the model's defaults with the caller's wishes on top, checked once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from genrun import registry
from genrun.checks.short_text import shown
from genrun.contracts import Decoder
from genrun.errors import GenrunError, OptionError, UnknownPluginError, close_matches
from genrun.generating.draws import check_seed
from genrun.loading.generation_defaults import GenerationDefaults, check_max_new_tokens
from genrun.tokenizer.detokenizer import check_casing
from genrun.tokenizer.labels import check_labels

__all__ = ["Choices", "GenerationSettings", "resolve_settings"]

_CHOICES = ("max_new_tokens", "decoder", "seed", "stop", "casing", "labels", "settings")
_OF_MANY = ("n", "batch_size")


class Choices(TypedDict, total=False):
    """The keywords of ``Model.generate`` and the others as a type checker knows them.

    ``k`` and ``temperature`` are options of the built-in decoders. Those of other decoders are accepted by
    ``Model.settings``, or belong to a decoder object.
    """

    max_new_tokens: int | None
    decoder: str | Decoder | Sequence[object] | None
    seed: int | None
    stop: str | Sequence[str]
    casing: str | None
    labels: Mapping[str, str] | None
    k: int
    temperature: float


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """A complete, checked set of choices.

    ``stops`` are texts that end a continuation, ``labels`` pairs of name and value.
    """

    decoder: Decoder
    max_new_tokens: int
    seed: int
    stops: tuple[str, ...]
    casing: str
    labels: tuple[tuple[str, str], ...] = ()


def resolve_settings(
    defaults: GenerationDefaults,
    *,
    decoder: str | Decoder | Sequence[object] | None = None,
    options: Mapping[str, object] | None = None,
    max_new_tokens: int | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    casing: str | None = None,
    labels: Mapping[str, str] | None = None,
    from_text: bool = True,
) -> GenerationSettings:
    """Return the settings of a call. The options of the model's own decoder stay unless they are overridden.

    ``decoder``: a name, a chain as text, an object, or a list of these (see :func:`genrun.registry.make_chain`).
    ``from_text``: whether ``options`` may be text, as on a command line; in the call of a program they are what
    is left of its keywords, and may be those of the call, misspelt. Raises OptionError for a value that is not
    accepted, UnknownPluginError or PluginError for the decoder.
    """
    if max_new_tokens is None:
        max_new_tokens = defaults.max_new_tokens
    stops = _stops(stop)
    return GenerationSettings(
        decoder=_decoder(defaults, decoder, options or {}, from_text),
        max_new_tokens=check_max_new_tokens(max_new_tokens),
        seed=check_seed(seed),
        stops=stops,
        casing=check_casing(defaults.casing if casing is None else casing),
        labels=tuple(check_labels(labels).items()),
    )


def _stops(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    try:
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
    except TypeError:
        raise OptionError(f"a stop must be text, not {shown(stop)}") from None
    if not all(isinstance(text, str) for text in stops):
        raise OptionError(f"a stop must be text, not {shown(stop)}")
    if "" in stops:
        raise OptionError("a stop text must not be empty")
    return stops


def _decoder(
    defaults: GenerationDefaults,
    decoder: str | Decoder | Sequence[object] | None,
    options: Mapping[str, object],
    from_text: bool,
) -> Decoder:
    if decoder is not None and not isinstance(decoder, str):
        return _checked(decoder, options)
    name = defaults.decoder if decoder is None else decoder
    if decoder is None or _is_same(decoder, defaults.decoder):
        given, options = options, {**defaults.options, **options}
    else:
        given = options
    try:
        if given and not from_text:
            _check_names(given, registry.decoder_options(name))
        return registry.make_decoder(name, options, from_text=from_text)
    except UnknownPluginError as error:
        if decoder is not None:
            raise
        raise UnknownPluginError(f"the model's own decoder is not installed; name another: {error}") from error


def _is_same(decoder: str, other: str) -> bool:
    """Return whether two names, ``top-k`` and ``genrun:top-k`` for instance, are those of one decoder."""
    if decoder.rpartition(":")[2] != other.rpartition(":")[2]:
        return False
    try:
        return decoder == other or registry.find("decoder", decoder) == registry.find("decoder", other)
    except GenrunError:  # it is raised where the decoder is used
        return False


def _checked(decoder: Any, options: Mapping[str, object]) -> Decoder:
    """Return a decoder that was given as an object, or as a list."""
    made = registry.make_chain(decoder if isinstance(decoder, (list, tuple)) else [decoder])
    _check_names(options, ())
    if options:
        raise OptionError(f"options {shown(sorted(options))} go with a decoder's name, not with a decoder object")
    return made


def _check_names(options: Collection[str], known: Collection[str]) -> None:
    """Raise OptionError for what is no option of the decoder, but nearly a choice, or one that another call has."""
    for name in options:
        if name in known:
            continue
        if name in _OF_MANY:
            raise OptionError(f"{name} is for many texts: model.generate_many([prompt], {name}=…)")
        close = close_matches(name, {*_CHOICES, *_OF_MANY, *known})
        if close and close[0] not in known:
            raise OptionError(f"there is no choice {shown(name)}; did you mean {close[0]!r}?")
