"""Makes a constraint of any spelling: text such as ``words:6,never:storm``, objects, JSON, or a list of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from genrun.checks.short_text import class_name, shown
from genrun.contracts import ConstraintPart
from genrun.errors import OptionError
from genrun.registry.chain_grammar import parse, place
from genrun.registry.links import is_full_name, made_link
from genrun.registry.loading import make
from genrun.registry.naming import check_contract

__all__ = ["NamedPart", "make_constraint"]

_MOST_PARTS = 64


@dataclass(frozen=True, slots=True)
class NamedPart:
    """One part of a constraint. ``where``: what messages call it: its number, and its place in the text."""

    part: ConstraintPart
    where: str = field(compare=False)


def make_constraint(given: object) -> tuple[NamedPart, ...]:
    """Return the parts of a constraint, all of which a text must meet.

    ``given``: text, an object with a method ``automaton``, a mapping with ``name`` and ``options``, or a sequence of
    these; None: no parts. Raises OptionError, UnknownPluginError or PluginError.

    >>> [each.part for each in make_constraint(["words:5-6", {"name": "never", "options": {"phrases": ["sea"]}}])]
    [Words(count='5-6'), Never(phrases=('sea',))]
    >>> make_constraint("words:5-6,lines:2")[1].where
    "part 2, character 11 of 'words:5-6,lines:2'"
    """
    parts = list[NamedPart]()
    for each in given if isinstance(given, (list, tuple)) else () if given is None else (given,):
        parts += _parts(each, len(parts))
    if len(parts) > _MOST_PARTS:
        raise OptionError(f"a constraint has at most {_MOST_PARTS} parts, not {len(parts)}")
    return tuple(parts)


def _parts(given: object, before: int) -> list[NamedPart]:
    number = f"part {before + 1}"
    if isinstance(given, str):
        made = []
        for index, link in enumerate(parse(given, partial(is_full_name, "constraint"), "part"), 1):
            where = place(given, f"part {index}", link.at)
            made.append(NamedPart(made_link("constraint", given, f"part {index}", link, {}), where))
        return made
    if isinstance(given, Mapping):
        name, values = given.get("name"), given.get("options", {})
        if set(given) - {"name", "options"} or not isinstance(name, str) or not isinstance(values, Mapping):
            raise OptionError(f"{number}: an object has a 'name' and 'options', not {shown(dict(given))}")
        return [NamedPart(make("constraint", name, values, False), f"{number}, {name!r}")]
    if isinstance(given, type) or not isinstance(given, ConstraintPart):
        raise OptionError(f"{number}: a constraint is text or an object with 'automaton', not {shown(given)}")
    check_contract("constraint", given)
    return [NamedPart(given, f"{number}, {class_name(given)}")]
