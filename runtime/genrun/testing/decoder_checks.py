"""Checks that a decoder keeps its contract: one that chooses alone, a stage, a chooser, or a preset of these."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrun.checks.short_text import class_name, short_line
from genrun.errors import GenrunError, OptionError, one_line
from genrun.generating.choosing.binding import bound
from genrun.registry import contract_of, make_chain, title
from genrun.sampling import Candidates, Chain, inverse_cdf
from genrun.testing.common_checks import check_options, fresh, no_global_chance
from genrun.testing.decoder_forms import Answers, Form, first_difference, forms_of, out_of, together
from genrun.testing.fold_checks import check_fold
from genrun.testing.outcomes import Check, Failed, Outcome, Skipped, demand, outcomes
from genrun.testing.scenes import Scene, scene
from genrun.testing.tiny import tiny_metadata

__all__ = ["check_decoder", "decoder_outcomes"]


def check_decoder(decoder: object) -> None:
    """Check that ``decoder`` keeps its contract; raises BrokenContract with a line for each promise that is broken.

    ``decoder``: an object of a decoder, a stage, a chooser, a preset or a chain. It is called with made-up batches
    over the vocabulary of :func:`~genrun.testing.tiny.tiny_model`; one that needs words, such as a banned phrase,
    must be given words of that model, such as "the sea".

    >>> from genrun.plugins import make_decoder
    >>> check_decoder(make_decoder("top-k", {"k": 5}))
    """
    demand(title("decoder", decoder), decoder_outcomes(decoder))


def decoder_outcomes(decoder: object) -> list[Outcome]:
    """Return the outcome of each check of ``decoder``, in order; raises nothing."""
    return outcomes(_CHECKS, _Subject(decoder))


# The name of a method, a function that makes a new decoder to call by it, and batches for it.
Way = tuple[str, Callable[[], Callable[[Scene], Answers]], list[Scene]]


@dataclass(frozen=True, slots=True)
class _Subject:
    """The decoder that is checked."""

    plugin: Any

    @property
    def parts(self) -> list[Any]:
        """The decoder, or the stages and the chooser of a chain."""
        if not isinstance(self.plugin, Chain):
            return [self.plugin]
        return [*self.plugin.stages, *([self.plugin.chooser] if self.plugin.chooser is not None else [])]

    def fresh(self) -> Any:
        """Return a new decoder with the same options."""
        return make_chain([fresh(part) for part in self.parts])

    def links(self) -> list[tuple[Any, dict[str, Form]]]:
        """Return the parts of a new decoder, made for the tiny model, and how each is called."""
        made = self.fresh()
        links = _Subject(made).parts
        found = []
        for link in links:
            fitting = _bound(Chain((link,))).stages[0]
            found.append((fitting, forms_of(fitting, contract_of("decoder", link))))
        return found

    def ways(self) -> list[Way]:
        """Return for each method its name, a function that makes a new decoder to call, and the batches for it."""
        ways = list[Way]()
        for number, (link, forms) in enumerate(self.links()):
            for name in forms:
                whole = name == "choose"
                ways.append(
                    (
                        f"{class_name(link)}.{name}()",
                        functools.partial(self._call, number, name),
                        [scene(*_sizes(), 1), scene(*_sizes(), 2, few=not whole)],
                    )
                )
        return ways

    def _call(self, number: int, name: str) -> Callable[[Scene], Answers]:
        link, forms = self.links()[number]
        return functools.partial(forms[name], link)


def _sizes() -> tuple[int, tuple[int, ...]]:
    """Return how many ids there are, and those that are never chosen."""
    metadata = tiny_metadata()
    return len(metadata.tokenizer), metadata.generation.suppressed_ids


def _bound(chain: Chain) -> Chain:
    metadata = tiny_metadata()
    return bound(chain, metadata.tokenizer, metadata.generation.stop_ids, metadata.training_runs)


def _has_options(subject: _Subject) -> None:
    for part in subject.parts:
        check_options("decoder", part)


def _fits(subject: _Subject) -> None:
    try:
        links = subject.links()
    except OptionError as error:
        raise Failed(f"the tiny model does not fit its options, choose others: {one_line(error)}") from error
    except GenrunError as error:
        raise Failed(one_line(error)) from error
    for link, forms in links:
        if not forms:
            raise Failed(f"{class_name(link)} has no method choose, apply or pick")


def _answers(subject: _Subject) -> None:
    for _, make, scenes in subject.ways():
        for each in scenes:
            make()(each)
            make()(each.only([0]))


def _keeps_out(subject: _Subject) -> None:
    for name, make, scenes in subject.ways():
        for each in scenes:
            allowed = out_of(each, whole=name.endswith("choose()"))
            for answer, ids in zip(make()(each), allowed, strict=True):
                given = {token for token, _ in answer} if isinstance(answer, tuple) else {answer}
                if given - ids and isinstance(answer, tuple):
                    raise Failed(f"{name} brings back a token that was out (its logit was minus infinity)")
                if given - ids:
                    raise Failed(f"{name} chose a token that must not be chosen (its logit is minus infinity)")


def _is_pure(subject: _Subject) -> None:
    for name, make, (one, other) in subject.ways():
        with no_global_chance():
            first, second = make(), make()
            expected = first(one)
            if (row := first_difference(expected, second(one))) is not None:
                raise Failed(
                    f"{name} gives another answer in a new object with the same options (row {row}): it takes "
                    "chance, the time or a state from outside its arguments"
                )
            for _ in range(2):
                if (row := first_difference(expected, first(one))) is not None:
                    raise Failed(
                        f"{name} gives another answer when called again (row {row}): it keeps state between calls"
                    )
                first(other)


def _rows_are_apart(subject: _Subject) -> None:
    for name, make, scenes in subject.ways():
        for each in scenes:
            numbers = list(range(len(each.rows)))
            call = make()
            expected = call(each)
            for order in (numbers[::-1], numbers[:5], *([number] for number in numbers)):
                answers = call(each.only(order))
                if (row := first_difference(answers, [expected[number] for number in order])) is not None:
                    raise Failed(
                        f"{name} gives another answer for a row beside other rows (row {order[row]}): it looks at "
                        "their logits, tokens or draws"
                    )


def _folds(subject: _Subject) -> None:
    folds = 0
    for (link, _), (again, _) in zip(subject.links(), subject.links(), strict=True):
        if callable(getattr(link, "first", None)):
            folds += 1
            check_fold(link, again, [scene(*_sizes(), 3), scene(*_sizes(), 4, few=True)])
    if not folds:
        raise Skipped("it has no fold")


def _is_shared(subject: _Subject) -> None:
    for name, make, _ in subject.ways():
        few = not name.endswith("choose()")
        scenes = [scene(*_sizes(), seed, few=few) for seed in range(5, 9)]
        expected = [make()(each) for each in scenes]
        if together(make(), scenes, expected):
            raise Failed(f"{name} gives another answer while other threads call it: it keeps state between calls")


def _takes_the_shortcut(subject: _Subject) -> None:
    decoder = subject.fresh()
    decoder = _bound(decoder) if isinstance(decoder, Chain) else decoder
    parameters = getattr(decoder, "parameters", None)
    given = parameters() if callable(parameters) else None
    if given is None:
        raise Skipped("no graph chooses in its place")
    k, temperature = int(given.get("k", 0)), float(given.get("temperature", 1.0))
    if set(given) - {"k", "temperature"} or not (k == -1 or k >= 1) or not 0 < temperature < np.inf:
        raise Failed(
            f"parameters() must return 'k', -1 or from 1, and a temperature above 0, not {short_line(given)}"
        )
    for seed in range(10, 16):
        each = scene(*_sizes(), seed)
        candidates = Candidates(None, each.logits, each.logits.shape[1])
        left = candidates if k < 0 else candidates.top(k)
        expected = left.ids_at(inverse_cdf(left.logits, each.draws, temperature)).tolist()
        own = decoder.choose(each.logits, each.tokens, each.draws).tolist()
        if (row := first_difference(own, expected)) is not None:
            raise Failed(
                f"the shortcut of parameters(), {dict(given)}, chooses the token {expected[row]} where choose() "
                f"chooses {own[row]}"
            )


_CHECKS = (
    Check("options survive JSON", _has_options, first=True),
    Check("it fits a model", _fits, first=True),
    Check("answers have the right shape, type and range", _answers, first=True),
    Check("what is out stays out", _keeps_out),
    Check("the same arguments give the same answer", _is_pure),
    Check("rows do not depend on each other", _rows_are_apart),
    Check("its fold changes nothing", _folds),
    Check("threads may share it", _is_shared),
    Check("its shortcut chooses the same", _takes_the_shortcut),
)
