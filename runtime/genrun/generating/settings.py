"""How one call generates: the model's defaults with the caller's wishes on top, checked once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrun import registry
from genrun.checks.arguments import check_count
from genrun.checks.short_text import shown
from genrun.contracts import Decoder
from genrun.errors import GenrunError, OptionError, UnknownPluginError, close_matches
from genrun.generating.draws import check_seed
from genrun.generating.searching.choices import SearchChoices
from genrun.generating.short_options import SHORT, spelt_out
from genrun.loading.generation_defaults import GenerationDefaults, check_max_new_tokens
from genrun.sampling import Chain
from genrun.tokenizer.detokenizer import check_casing
from genrun.tokenizer.labels import check_labels

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search
    from genrun.registry import NamedPart

__all__ = ["Choices", "GenerationSettings", "resolve_settings"]

_OF_MANY = ("n", "batch_size")
_MOST_PARTICLES = 10_000


class Choices(SearchChoices, total=False):
    """The keywords of ``Model.generate`` and the others as a type checker knows them.

    ``temperature``, ``top_k`` and ``top_p`` are short for options of decoders, ``k`` and ``p`` are their names there.
    Options of other decoders are accepted by ``Model.settings``, or belong to a decoder object.
    """

    max_new_tokens: int | None
    decoder: str | Decoder | Sequence[object] | None
    seed: int | None
    stop: str | Sequence[str]
    casing: str | None
    constraint: object
    particles: int | None
    max_copied: int | None
    labels: Mapping[str, str] | None
    k: int
    p: float
    temperature: float
    top_k: int
    top_p: float


_CHOICES = Choices.__annotations__.keys() - {"k", "p"} | {"settings"}


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """A complete, checked set of choices.

    ``stops``: texts that end a continuation. ``search`` finds several texts together. ``constraint``: what a text
    must meet; ``particles`` are for it alone, None for the default number. ``labels``: pairs of name and value.
    """

    decoder: Decoder
    max_new_tokens: int
    seed: int
    stops: tuple[str, ...]
    casing: str
    search: Search | None = None
    constraint: tuple[NamedPart, ...] = ()
    particles: int | None = None
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
    search: Search | None = None,
    constraint: object = None,
    particles: int | None = None,
    max_copied: int | None = None,
    labels: Mapping[str, str] | None = None,
    from_text: bool = True,
) -> GenerationSettings:
    """Return the settings of a call. The options of the model's own decoder stay unless they are overridden.

    ``decoder``: a name, a chain as text, an object, or a list of these (see :func:`genrun.registry.make_chain`).
    ``search``: several texts are found together; its decoder is a chain that does not choose. Beam search begins
    without stages, since those of the model's own decoder would hide texts from it.
    ``max_copied``: the stage ``max-copied`` comes first with this ``n``, unless it is 0.
    ``from_text``: whether ``options`` may be text, as on a command line; in the call of a program they are what
    is left of its keywords, and may be those of the call, misspelt. Raises OptionError for a value that is not
    accepted, UnknownPluginError or PluginError for the decoder.
    """
    if max_new_tokens is None:
        max_new_tokens = defaults.max_new_tokens
    stops, parts = _stops(stop), () if constraint is None else registry.make_constraint(constraint)
    if parts and stops:
        raise OptionError("a stop text cuts a text off before its constraint is met; give one of them")
    if parts and search is not None:
        raise OptionError("beam, distinct and spread do not know constraints; give one of them")
    if search is not None and search.begins_alone and decoder is None and not options:
        decoder = Chain(())
    chosen = _decoder(defaults, decoder, options or {}, from_text)
    if most := defaults.max_copied if max_copied is None else check_count("max_copied", max_copied, least=0):
        chosen = registry.make_chain([{"name": "max-copied", "options": {"n": most}}, chosen])
    return GenerationSettings(
        decoder=chosen if search is None else _stages(chosen, search),
        max_new_tokens=check_max_new_tokens(max_new_tokens),
        seed=check_seed(seed),
        stops=stops,
        casing=check_casing(defaults.casing if casing is None else casing),
        search=search,
        constraint=parts,
        particles=_particles(particles, parts),
        labels=tuple(check_labels(labels).items()),
    )


def _stages(decoder: Decoder, search: Search) -> Chain:
    from genrun.generating.searching.methods import stages_of

    return stages_of(decoder, search)


def _particles(count: int | None, parts: Sequence[NamedPart]) -> int | None:
    if count is None:
        return None
    if not parts:
        raise OptionError("particles are for a constraint; there is none")
    return check_count("particles", count, _MOST_PARTICLES)


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
    if any(name in options for name in SHORT):
        short = {name: value for name, value in options.items() if name in SHORT}
        others = {name: value for name, value in options.items() if name not in SHORT}
        decoder, options = spelt_out(defaults.decoder, decoder, others, short)
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
        if name in SHORT or name.rpartition(".")[2] in known:
            continue
        if name in _OF_MANY:
            raise OptionError(f"{name} is for many texts: model.generate_many([prompt], {name}=…)")
        close = close_matches(name, {*_CHOICES, *_OF_MANY, *known})
        if close and close[0] not in known:
            raise OptionError(f"there is no choice {shown(name)}; did you mean {close[0]!r}?")
