"""What a plugin that chooses words must look like: a decoder, or a stage or chooser of a chain.

A chain hands the candidates of a batch from stage to stage; a chooser ends it. The whole past of a row reaches a
stage as a *state*, which the decoding loop keeps. So no plugin keeps anything from one call to the next, and a text
depends on nothing but the model, the seed, its prompt and the chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genrun.loading.originality import TrainingRuns
    from genrun.sampling import Candidates

__all__ = ["Chooser", "Decoder", "Fold", "ForModel", "ParametricDecoder", "Preset", "Stage", "Vocabulary"]


@runtime_checkable
class Decoder(Protocol):
    """Chooses the next token of every row of a batch. A frozen dataclass: its fields are its options."""

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return the chosen ids, int64 ``[batch]``.

        ``logits``: float32 ``[batch, vocabulary]``, minus infinity for tokens that must not be chosen; may be
        overwritten. ``tokens``: the ids of each row so far, prompt included, read-only. ``draws``: float32
        ``[batch]``, one uniform number in [0, 1) per row and step: the only source of chance a decoder may use.
        """
        ...


@runtime_checkable
class ParametricDecoder(Decoder, Protocol):
    """A decoder that is described by k and a temperature, so that a model file's own graph can choose in its place.

    :meth:`choose` and the graph must choose the same from the same draws; genrun uses whichever is faster. The
    ``logits`` that :meth:`choose` gets are read-only if :meth:`parameters` returns some.
    """

    def parameters(self) -> Mapping[str, float] | None:
        """Return k and temperature, or None if these options are not described by them.

        ``k``: 1 for the most likely token, more to draw from that many most likely ones, -1 to draw from all.
        ``temperature``: above 0; 1 if left out. The order of the candidates is that of the built-in decoders.
        """
        ...


@runtime_checkable
class Stage(Protocol):
    """Narrows or reweighs the candidates of every row. A frozen dataclass: its fields are its options.

    A stage may be a :class:`Fold` too, and :class:`ForModel`.
    """

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates that are left, with their new logits; never one that was out before.

        ``candidates`` must not be changed: its arrays may be read-only. ``states``: one for each row, by the stage's
        own :class:`Fold`; None for each row without one. ``draws``: float32 ``[batch]``, the numbers that the
        chooser is going to use. A stage that needs chance takes :func:`genrun.sampling.own_draws` of them. What
        becomes of a row must not depend on the other rows.
        """
        ...


@runtime_checkable
class Chooser(Protocol):
    """Chooses one of the candidates of every row, at the end of a chain. A frozen dataclass.

    One that learns from what is chosen has a method ``adapt(candidates, states, ids)`` as well, which returns the
    states that follow, a list; its method ``follow`` is then called only for tokens that it has not chosen.
    """

    def pick(self, candidates: Candidates, states: Sequence[Any], draws: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the chosen ids, int64 ``[batch]``; arguments as for :meth:`Stage.apply`."""
        ...


@runtime_checkable
class Fold(Protocol):
    """What a stage or chooser needs to know of a row's past. Both methods are pure, and states are never changed."""

    def first(self, prompt: Sequence[int]) -> Any:
        """Return the state of a row that has the ids of its prompt and no new token.

        None for every prompt if these options need no past; :meth:`follow` is then not called.
        """
        ...

    def follow(self, state: Any, token: int) -> Any:
        """Return the state after one more token."""
        ...


@runtime_checkable
class ForModel(Protocol):
    """A stage, chooser or decoder that needs the words of the model; it is made for one with :meth:`bind`."""

    def bind(self, vocabulary: Vocabulary) -> Any:
        """Return what takes this one's place in a chain for the model; raises OptionError where it cannot be."""
        ...


@runtime_checkable
class Preset(Protocol):
    """A name for several stages in an order. A frozen dataclass: its fields are its options."""

    def stages(self) -> Sequence[Any]:
        """Return the stages, in order, and at most one chooser, the last."""
        ...


class Vocabulary(Protocol):
    """What a stage may know of the model's words; it cannot be changed."""

    @property
    def words(self) -> Sequence[str]:
        """The tokens as the model file lists them; the index is the id."""
        ...

    @property
    def end_ids(self) -> Sequence[int]:
        """The ids that end a text."""
        ...

    @property
    def training_runs(self) -> TrainingRuns | None:
        """The hashed runs of words of the training text; None if the model file has none."""
        ...

    def encodings(self, phrase: str) -> Sequence[tuple[int, ...]]:
        """Return the ids of ``phrase``, in each usual way to write it; raises OptionError for an unknown word."""
        ...
