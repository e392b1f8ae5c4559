"""A constraint for a model: compiled once, then planned for each prompt; says which part cannot be met, and why."""

from __future__ import annotations

from collections.abc import Sequence

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import shown
from genrun.contracts import PromptedPart
from genrun.errors import GenrunError, OptionError, PluginError, PromptError
from genrun.generating.constrained.product import UNREACHABLE, Plan, Product
from genrun.generating.text_stream import TextStream
from genrun.registry import NamedPart
from genrun.sampling.automata import Automaton, Lexicon, Opening
from genrun.tokenizer import Encoding, Tokenizer

__all__ = ["CompiledConstraint"]

_MOST_PRODUCTS = 64  # of different prompts


class CompiledConstraint:
    """The ``parts`` of a constraint for a model, and texts of at most ``limit`` new tokens.

    Raises OptionError for a part that does not fit the model, PluginError for one that breaks its contract.
    """

    def __init__(
        self,
        parts: Sequence[NamedPart],
        tokenizer: Tokenizer,
        *,
        casing: str,
        end_ids: Sequence[int],
        suppressed_ids: Sequence[int],
        limit: int,
    ) -> None:
        self._parts, self._tokenizer, self._casing, self._limit = parts, tokenizer, casing, limit
        self._end_ids, self._suppressed_ids = end_ids, suppressed_ids
        self._known = _Bound(self, ())
        self._vocabulary = frozenset(tokenizer.vocabulary)

    def plan(self, prompt: str, encoding: Encoding) -> Plan:
        """Return the plan of texts that begin with ``prompt``.

        Raises PromptError if none of them can meet the constraint, OptionError if no text at all can.
        """
        unknown = tuple(dict.fromkeys(piece for piece in encoding.pieces if piece not in self._vocabulary))
        bound = _Bound(self, unknown) if unknown else self._known
        stream = TextStream.after(self._tokenizer, prompt, encoding, casing=self._casing)
        spacing = stream.detokenizer.spacing
        opening = bound.lexicon.opening(encoding.pieces, stream.prompt_text, spacing)
        try:
            plan = bound.plan(opening)
        except PromptError as error:
            raise PromptError(f"the prompt {shown(prompt)} cannot be continued: {error}") from error
        if plan is not None:
            return plan
        begins = self._known.lexicon.opening((), "", self._tokenizer.detokenizer(self._casing).spacing)
        if not opening.text or not self._known.is_possible(begins):
            raise OptionError(f"the constraint cannot be met: {self._known.reason(begins)}")
        raise PromptError(f"the prompt {shown(prompt)} cannot be continued: {bound.reason(opening)}")

    def lexicon(self, unknown: tuple[str, ...]) -> Lexicon:
        """Return the lexicon with the ``unknown`` words of a prompt."""
        return Lexicon(
            self._tokenizer,
            casing=self._casing,
            end_ids=self._end_ids,
            suppressed_ids=self._suppressed_ids,
            unknown=unknown,
        )


class _Bound:
    """The automata of a constraint for one lexicon; those of some parts are made for each prompt."""

    def __init__(self, constraint: CompiledConstraint, unknown: tuple[str, ...]) -> None:
        self.lexicon, self._parts = constraint.lexicon(unknown), constraint._parts
        self._wheres = [each.where for each in constraint._parts]
        self._end_ids, self._limit = constraint._end_ids, constraint._limit
        self._lasting = [
            None if isinstance(each.part, PromptedPart) else _automaton(each, self.lexicon) for each in self._parts
        ]
        self._products = dict[tuple[int, ...], tuple[list[Automaton], Product]]()
        if None not in self._lasting:
            self._product(Opening((), "", None))

    def plan(self, opening: Opening) -> Plan | None:
        """Return the plan after a prompt; None if there is no way to the end."""
        automata, product = self._product(opening)
        states = tuple([each.after(opening) for each in automata])
        if min(states) < 0:
            return None
        plan = product.plan(states)
        return plan if plan.distance[0] <= self._limit else None

    def is_possible(self, opening: Opening) -> bool:
        """Return whether there may be a plan after a prompt: not for sure, where a part depends on the prompt."""
        try:
            return self.plan(opening) is not None
        except PromptError:
            return True

    def _product(self, opening: Opening) -> tuple[list[Automaton], Product]:
        """Return the automata after a prompt, and their product; the same ones for all prompts if they can be."""
        key = opening.tokens if None in self._lasting else ()
        if key not in self._products:
            pairs = zip(self._lasting, self._parts, strict=True)
            automata = [_automaton(part, self.lexicon, opening) if each is None else each for each, part in pairs]
            if len(self._products) >= _MOST_PRODUCTS:
                self._products.clear()
            self._products[key] = automata, Product(automata, self.lexicon, self._end_ids, self._limit)
        return self._products[key]

    def reason(self, opening: Opening) -> str:
        """Return which part cannot be met after a prompt, or which ones not together, and why."""
        after = " that begins so" if opening.text else ""
        automata, _ = self._product(opening)
        every = range(len(automata))
        for number in every:
            if (needed := self._needed([automata[number]], opening)) > self._limit:
                return f"{self._wheres[number]}: {self._why(needed, f'no text of this model{after} meets it', 'it')}"
        guilty = list(every)
        for number in every:  # what is possible without the others, is left out
            others = [each for each in guilty if each != number]
            if self._needed([automata[each] for each in others], opening) > self._limit:
                guilty = others
        needed = self._needed([automata[each] for each in guilty], opening)
        why = self._why(needed, f"no text of this model{after} meets {'both' if len(guilty) == 2 else 'all'}", "they")
        return f"{' and '.join(self._wheres[number] for number in guilty)}: {why}"

    def _why(self, needed: int, never: str, subject: str) -> str:
        if needed >= UNREACHABLE:
            return never
        end = " with the end" if self._end_ids else ""
        need = "needs" if subject == "it" else "need"
        return f"{subject} {need} at least {needed} new tokens{end}, and max_new_tokens is {self._limit}"

    def _needed(self, chosen: Sequence[Automaton], opening: Opening) -> int:
        """Return the fewest new tokens with which these parts are met; UNREACHABLE if they cannot be."""
        states = tuple([each.after(opening) for each in chosen])
        if min(states) < 0:
            return UNREACHABLE
        return int(Product(chosen, self.lexicon, self._end_ids).plan(states).distance[0])


def _automaton(each: NamedPart, lexicon: Lexicon, opening: Opening | None = None) -> Automaton:
    """Return the automaton of a part, after ``opening`` if there is one."""
    try:
        made: object
        if opening is not None and isinstance(each.part, PromptedPart):
            made = each.part.automaton_after(lexicon, opening)
        else:
            made = each.part.automaton(lexicon)
    except PromptError as error:
        raise PromptError(f"{each.where}: {error}") from error
    except OptionError as error:
        raise OptionError(f"{each.where}: {error}") from error
    except GenrunError:
        raise
    except BaseException as error:  # the part may be anyone's
        blame(f"{each.where} failed", error)
    if type(made) is not Automaton or len(made.classes) != len(lexicon):
        raise PluginError(f"{each.where} must return an Automaton for the {len(lexicon)} tokens of the lexicon")
    return made
