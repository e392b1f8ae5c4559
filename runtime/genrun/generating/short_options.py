"""The short options ``top_k``, ``top_p`` and ``temperature``: which option of which decoder they are."""

from __future__ import annotations

from collections.abc import Mapping

from genrun.errors import OptionError
from genrun.registry import chain_stages

__all__ = ["SHORT", "spelt_out"]

# The short name, the decoder or stage that it is for (None: whichever there is), and its option there.
_MEANINGS = (("top_k", "top-k", "k"), ("top_p", "top-p", "p"), ("temperature", None, "temperature"))
SHORT = tuple(name for name, _, _ in _MEANINGS)


def spelt_out(
    own: str, decoder: str | None, options: Mapping[str, object], short: Mapping[str, object], *, flags: bool = False
) -> tuple[str | None, dict[str, object]]:
    """Return the decoder's name, None for the model's ``own``, and its options with the ``short`` ones among them.

    A short option is for the model's own decoder where that is or has a stage of its name; otherwise for the decoder
    ``top-k`` or ``top-p`` in its place. ``flags``: messages speak of options of the command line. Raises OptionError
    for options that contradict each other.

    >>> spelt_out("quotation,top-p:0.95", None, {}, {"top_p": 0.5, "temperature": 0.8})
    (None, {'top-p.p': 0.5, 'top-p.temperature': 0.8})
    >>> spelt_out("top-p", None, {}, {"top_k": 5})
    ('top-k', {'k': 5})
    """
    found = dict(options)
    stages = () if decoder or not short else chain_stages(own)
    narrowed = None  # the stage of the model's own chain that an option has changed
    named = decoder
    for name, of, option in _MEANINGS:
        if name not in short:
            continue
        stage = of or ("temperature" if "temperature" in stages else narrowed)
        in_stage = f"{stage}.{option}"
        if option in found or in_stage in found:
            long = f"--set {option}=…" if flags else f"{option}=…"
            raise OptionError(f"{_spelt(name, flags)} means {long}; give one of them")
        if named is None and stages.count(stage) == 1:
            narrowed, found[in_stage] = stage, short[name]
            continue
        chosen = named or narrowed
        if of and chosen is not None and chosen.rpartition(":")[2] != of:
            other = _spelt("top_k", flags) if decoder is None else _of_decoder(decoder, flags)
            raise OptionError(f"{_spelt(name, flags)} means {_of_decoder(of, flags)}; it does not go with {other}")
        named, found[option] = named or of, short[name]
    return named, found


def _spelt(name: str, flags: bool) -> str:
    return f"--{name.replace('_', '-')}" if flags else name


def _of_decoder(name: str, flags: bool) -> str:
    return f"--decoder {name}" if flags else f"decoder={name!r}"
