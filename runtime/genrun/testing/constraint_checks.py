"""Checks that a part of constraints keeps its contract: an automaton that is well formed, pure and can be met."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from genrun.checks.short_text import class_name
from genrun.errors import OptionError, one_line
from genrun.registry import title
from genrun.sampling.automata import Automaton, Lexicon, Opening
from genrun.testing.common_checks import check_options, fresh, no_global_chance, unchanged
from genrun.testing.outcomes import Check, Failed, Outcome, demand, outcomes
from genrun.testing.tiny import tiny_metadata

__all__ = ["check_constraint", "constraint_outcomes"]


def check_constraint(part: object) -> None:
    """Check that ``part`` keeps its contract; raises BrokenContract with a line for each promise that is broken.

    It is compiled for the words of :func:`~genrun.testing.tiny.tiny_model`, with and without a prompt.

    >>> from genrun.plugins import make_constraint
    >>> [each] = make_constraint("words:4-6")
    >>> check_constraint(each.part)
    """
    demand(title("constraint", part), constraint_outcomes(part))


def constraint_outcomes(part: object) -> list[Outcome]:
    """Return the outcome of each check of ``part``, in order; raises nothing."""
    return outcomes(_CHECKS, part)


_ARRAYS = ("classes", "table", "accepts")


def _compiled(part: Any) -> Automaton:
    """Return the automaton of a new part with the same options."""
    made: Automaton = fresh(part).automaton(_lexicon())
    return made


def _lexicon() -> Lexicon:
    defaults = tiny_metadata().generation
    return Lexicon(
        tiny_metadata().tokenizer,
        casing=defaults.casing,
        end_ids=defaults.stop_ids,
        suppressed_ids=defaults.suppressed_ids,
        unknown=("unheard",),
    )


def _opening(lexicon: Lexicon, text: str) -> Opening:
    tokenizer = tiny_metadata().tokenizer
    return lexicon.opening(tokenizer.split(text), text, tokenizer.detokenizer(lexicon.casing).spacing)


def _fits(part: Any) -> None:
    try:
        _compiled(part)
    except OptionError as error:
        raise Failed(f"the tiny model does not fit its options, choose others: {one_line(error)}") from error


def _is_well_formed(part: Any) -> None:
    made, tokens = _compiled(part), len(_lexicon())
    if type(made) is not Automaton:
        raise Failed(f"automaton() must return an Automaton, not {class_name(made)}")
    classes, table, accepts = made.classes, made.table, made.accepts
    for name, array, what, kind, dimensions in (
        ("classes", classes, "int64 [tokens]", "i", 1),
        ("table", table, "int64 [states, classes]", "i", 2),
        ("accepts", accepts, "bool [states]", "b", 1),
    ):
        if type(array) is not np.ndarray or array.dtype.kind != kind or array.ndim != dimensions:
            raise Failed(f"{name} must be an array {what}")
    if len(classes) != tokens:
        raise Failed(f"classes must have an entry for each of {tokens} tokens of the lexicon, not {len(classes)}")
    if len(accepts) != len(table) or not len(table):
        raise Failed(f"accepts must have an entry for each of {len(table)} states of the table, not {len(accepts)}")
    if classes.min() < 0 or classes.max() >= table.shape[1]:
        raise Failed(f"a class is outside 0 … {table.shape[1] - 1}, the columns of the table")
    if table.min() < -1 or table.max() >= len(table):
        raise Failed(f"the table leads to a state outside -1 … {len(table) - 1}")


def _is_pure(part: Any) -> None:
    with no_global_chance():
        lexicon = _lexicon()
        one, new = fresh(part), fresh(part)
        first = one.automaton(lexicon)
        for made, how in (
            (one.automaton(lexicon), "when called again"),
            (new.automaton(lexicon), "in a new object"),
        ):
            if not all(unchanged(getattr(first, each), getattr(made, each)) for each in _ARRAYS):
                raise Failed(f"automaton() returns another automaton {how}: it must be a pure function")


def _begins(part: Any) -> None:
    lexicon, made = _lexicon(), _compiled(part)
    for text in ("", "the sea", "the unheard sea,"):
        opening = _opening(lexicon, text)
        state = made.after(opening)
        if not isinstance(state, (int, np.integer)) or not -1 <= state < len(made.table):
            raise Failed(f"begin() returns the state {state!r}, outside -1 … {len(made.table) - 1}")
        if made.after(opening) != state:
            raise Failed("begin() returns another state for the same prompt: it must be a pure function")


def _can_be_met(part: Any) -> None:
    lexicon, made = _lexicon(), _compiled(part)
    usable = np.unique(made.classes[lexicon.usable])
    reached, states = {made.after(_opening(lexicon, ""))} - {-1}, [made.after(_opening(lexicon, ""))]
    while states:
        state = states.pop()
        following = set(made.table[state, usable].tolist()) - {-1} - reached if state >= 0 else set()
        reached |= following
        states += following
    if not any(made.accepts[state] for state in reached):
        raise Failed("no text of the tiny model meets it: no state that accepts can be reached")


_CHECKS = (
    Check("options survive JSON", partial(check_options, "constraint"), first=True),
    Check("it fits a model", _fits, first=True),
    Check("its automaton is well formed", _is_well_formed, first=True),
    Check("the same arguments give the same automaton", _is_pure),
    Check("a prompt leads to a state", _begins),
    Check("a text can meet it", _can_be_met),
)
