"""Makes a decoder of any spelling: a name, a chain as text, a list of objects, or the JSON of a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import class_name, shown
from genrun.contracts import Decoder, options
from genrun.errors import OptionError, nearest
from genrun.registry.chain_grammar import Link, has_marks, parse, spell
from genrun.registry.links import is_full_name, made_link
from genrun.registry.loading import METHODS, make, option_names
from genrun.registry.naming import check_contract, name_of
from genrun.sampling import Chain

__all__ = ["chain_json", "chain_stages", "chain_text", "decoder_options", "is_chain", "make_chain", "make_decoder"]

_MOST_STAGES = 64
_is_decoder = partial(is_full_name, "decoder")
_option_names = partial(option_names, "decoder")


def make_decoder(name: str, values: Mapping[str, object] | None = None, *, from_text: bool = True) -> Decoder:
    """Return the decoder ``name``, or the chain of that text, with ``values`` for its options.

    A value is for the stage that has an option of this name; ``top-k.temperature`` says which stage is meant if
    several have it. Values may be text unless ``from_text`` is False. A stage by itself is a chain that draws.
    Raises OptionError, UnknownPluginError or PluginError.

    >>> make_decoder("top-k", {"k": "5"})
    TopK(k=5, temperature=1.0)
    >>> make_decoder("top-k:5,temperature:0.8")
    Chain(stages=(TopK(k=5, temperature=1.0), Temperature(temperature=0.8)), chooser=None)
    """
    if not is_chain(name):
        return _assembled([make("decoder", name, values, from_text)])
    links = parse(name, _is_decoder)
    given = _dealt(links, values or {})
    return _assembled(
        [
            made_link("decoder", name, f"stage {number}", link, own)
            for number, (link, own) in enumerate(zip(links, given, strict=True), 1)
        ]
    )


def make_chain(parts: Sequence[object]) -> Decoder:
    """Return the decoder of a list: stages and a chooser as objects, as texts, or as in the JSON of a model file.

    >>> make_chain(["top-k:5", {"name": "temperature", "options": {"temperature": 0.8}}]).stages
    (TopK(k=5, temperature=1.0), Temperature(temperature=0.8))
    """
    made = list[Any]()
    for number, part in enumerate(parts, 1):
        if isinstance(part, str):
            made += _flat(make_decoder(part))
        elif isinstance(part, Mapping):
            name, values = part.get("name"), part.get("options", {})
            if set(part) - {"name", "options"} or not isinstance(name, str) or not isinstance(values, Mapping):
                raise OptionError(f"stage {number}: an object has a 'name' and 'options', not {shown(dict(part))}")
            made.append(make("decoder", name, values, False))
        else:
            made += _flat(part)
    return _assembled(made)


def chain_json(decoder: object) -> list[dict[str, Any]]:
    """Return a decoder or a chain as a list of names and options; raises OptionError for what is not installed.

    >>> chain_json(make_decoder("top-k:5,greedy"))
    [{'name': 'top-k', 'options': {'k': 5, 'temperature': 1.0}}, {'name': 'greedy', 'options': {}}]
    """
    return [{"name": name_of("decoder", part), "options": options.to_json(part)} for part in _flat(decoder)]


def chain_text(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of a chain that is written as :func:`chain_json` does; plugins are not looked up.

    >>> chain_text([{"name": "top-k", "options": {"k": 5}}, {"name": "greedy"}])
    'top-k:k=5,greedy'
    """
    return spell([Link(part["name"], part.get("options", {})) for part in parts])


def chain_stages(name: str) -> tuple[str, ...]:
    """Return the names of the stages of a chain, without their packages; none for a decoder by itself.

    >>> chain_stages("genrun:top-k:40,temperature:0.8"), chain_stages("top-k")
    (('top-k', 'temperature'), ())
    """
    return tuple(link.name.rpartition(":")[2] for link in parse(name, _is_decoder)) if is_chain(name) else ()


def decoder_options(name: str) -> tuple[str, ...]:
    """Return the names of the options of a decoder, or of all stages of a chain."""
    if not is_chain(name):
        return _option_names(name)
    return tuple(dict.fromkeys(option for link in parse(name, _is_decoder) for option in _option_names(link.name)))


def is_chain(text: str) -> bool:
    """Return whether ``text`` is more than the name of a decoder.

    >>> is_chain("top-k"), is_chain("genrun:top-k"), is_chain("top-k:40")
    (False, False, True)
    """
    return has_marks(text) and not _is_decoder(text)


def _dealt(links: Sequence[Link], values: Mapping[str, object]) -> list[dict[str, object]]:
    """Return for each link the values that are its own."""
    own: list[dict[str, object]] = [{} for _ in links]
    names = [_option_names(link.name) for link in links] if values else []
    for key, value in values.items():
        stage, point, option = key.rpartition(".")
        meant = [
            i
            for i, link in enumerate(links)
            if (option if point else key) in names[i] and stage in ("", link.name, link.name.rpartition(":")[2])
        ]
        meant = [i for i in meant if links[i].name == stage] or meant
        if not meant:
            known = {name for each in names for name in each}
            raise OptionError(f"no stage of the chain has an option {shown(key)}; {nearest(option, known)}")
        if len(meant) > 1:
            which = " or ".join(dict.fromkeys(f"{links[i].name}.{option}" for i in meant))
            raise OptionError(f"{len(meant)} stages of the chain have an option {shown(key)}: name one, {which}")
        own[meant[0]][option] = value
    return own


def _flat(decoder: object) -> list[Any]:
    """Return the stages and the chooser of ``decoder``, presets replaced by theirs."""
    if isinstance(decoder, Chain):
        return [*decoder.stages, *(() if decoder.chooser is None else (decoder.chooser,))]
    if isinstance(decoder, type) or not any(callable(getattr(decoder, name, None)) for name in METHODS["decoder"]):
        methods = "'choose', 'apply' or 'pick'"
        raise OptionError(f"a decoder must be a name or an object with a method {methods}, not {shown(decoder)}")
    check_contract("decoder", decoder)
    if not callable(expand := getattr(decoder, "stages", None)):
        return [decoder]
    try:
        return [each for part in expand() for each in _flat(part)]
    except BaseException as error:  # the preset may be anyone's
        blame(f"decoder {class_name(decoder)} failed", error)


def _assembled(parts: Sequence[object]) -> Decoder:
    """Return the chain of ``parts``, or the one decoder that it consists of."""
    links = [each for part in parts for each in _flat(part)]
    if len(links) > _MOST_STAGES:
        raise OptionError(f"a chain has at most {_MOST_STAGES} stages, not {len(links)}")
    for number, link in enumerate(links[:-1], 1):
        if not _is_stage(link):
            raise OptionError(f"stage {number} of the chain, {class_name(link)}, chooses, so it must be the last")
    if len(links) == 1 and callable(getattr(links[0], "choose", None)):
        only: Decoder = links[0]
        return only
    *stages, last = links or [None]
    return Chain((*stages, last)) if last is not None and _is_stage(last) else Chain(tuple(stages), last)


def _is_stage(link: object) -> bool:
    """Return whether ``link`` may be followed by others: what is made for a model is a stage unless it can pick."""
    return callable(getattr(link, "apply", None)) or not any(
        callable(getattr(link, name, None)) for name in ("pick", "choose")
    )
