"""What a plugin that constrains whole texts must look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from genrun.sampling.automata import Automaton, Lexicon, Opening

__all__ = ["ConstraintPart", "PromptedPart"]


@runtime_checkable
class ConstraintPart(Protocol):
    """One condition that a whole text must meet. A frozen dataclass: its fields are its options."""

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that meet the condition, as an automaton over the tokens of ``lexicon``.

        The end of a text is no token of it: it may stand in any state that accepts. Raises OptionError if the model
        does not fit the condition.
        """
        ...


@runtime_checkable
class PromptedPart(ConstraintPart, Protocol):
    """A condition whose automaton would be too large for all prompts, and is small after one.

    A rhyme is an example: after a first line there is one word to rhyme with.
    """

    def automaton_after(self, lexicon: Lexicon, opening: Opening) -> Automaton:
        """Return the automaton of :meth:`automaton` for the texts that begin with the prompt ``opening``.

        It is called once for each prompt, in place of :meth:`automaton`; the automaton is asked for the state after
        ``opening`` alone. Raises PromptError if no text that begins so can meet the condition, with the reason.
        """
        ...
