"""What a plugin that constrains whole texts must look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from genrun.sampling.automata import Automaton, Lexicon

__all__ = ["ConstraintPart"]


@runtime_checkable
class ConstraintPart(Protocol):
    """One condition that a whole text must meet. A frozen dataclass: its fields are its options."""

    def automaton(self, lexicon: Lexicon) -> Automaton:
        """Return the texts that meet the condition, as an automaton over the tokens of ``lexicon``.

        The end of a text is no token of it: it may stand in any state that accepts. Raises OptionError if the model
        does not fit the condition.
        """
        ...
