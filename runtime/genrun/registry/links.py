"""Makes the plugin of one link of a chain or a constraint; its mistakes are named with their place in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from genrun.errors import GenrunError, OptionError, UnknownPluginError
from genrun.registry.chain_grammar import Link, has_marks, place
from genrun.registry.loading import make, option_names
from genrun.registry.offered import find

__all__ = ["is_full_name", "made_link"]

_NAME = re.compile("[a-zA-Z][\\w.-]*")


def made_link(kind: str, text: str, label: str, link: Link, values: Mapping[str, object]) -> Any:
    """Return the plugin of one link of ``text``, with its options and ``values``.

    ``kind``: decoder or constraint. ``label``: what messages call the link, which name its character too. Raises
    OptionError, UnknownPluginError or PluginError.
    """
    at, places = link.at, dict(link.places)
    try:
        given = dict(link.options)
        if "" in given:
            first, *_ = option_names(kind, link.name) or (None,)
            at = places[""]
            if first is None:
                raise OptionError(f"{kind} {link.name!r} has no options")
            if first in given:
                at = places[first]
                raise OptionError(f"the first option of {link.name!r} is {first!r}, which is there twice")
            given, places = {first: given.pop(""), **given}, {first: places.pop(""), **places}
        at = link.at
        try:
            return make(kind, link.name, {**given, **values}, True)
        except OptionError as error:
            found = _meant(str(error), f"{kind} {link.name!r}", {**places, **dict.fromkeys(values, 0)})
            at = link.at if found is None else found
            raise
    except (OptionError, UnknownPluginError) as error:
        if not at:  # a value that does not stand in the text
            raise
        error_class = UnknownPluginError if isinstance(error, UnknownPluginError) else OptionError
        raise error_class(f"{place(text, label, at)}: {error}") from error


def _meant(message: str, title: str, places: Mapping[str, int]) -> int | None:
    """Return the place of the option that a message is about: the first one that it names, or the only one."""
    said = message.partition(title)[2] or message
    found = {option: re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", said) for option in places}
    named = [(match.start(), places[option]) for option, match in found.items() if match]
    if named:
        return min(named)[1]
    return next(iter(places.values())) if len(places) == 1 else None


def is_full_name(kind: str, text: str) -> bool:
    """Return whether ``text`` is ``distribution:name``, installed or not, rather than a name with its option."""
    head, _, rest = text.partition(":")
    return _NAME.fullmatch(rest) is not None and not has_marks(head) and not _is_found(kind, head)


def _is_found(kind: str, name: str) -> bool:
    try:
        find(kind, name)
    except UnknownPluginError:
        return False
    except GenrunError:  # it is offered twice
        return True
    return True
