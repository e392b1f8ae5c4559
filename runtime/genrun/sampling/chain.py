"""A chain: stages that narrow and reweigh the candidates one after another, and the chooser at its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import class_name
from genrun.contracts import Fold, ForModel, Vocabulary
from genrun.errors import OptionError, PluginError
from genrun.sampling.candidates import Candidates
from genrun.sampling.weights import NotANumberError, drawn

__all__ = ["Chain", "States"]

States = tuple[Any, ...]  # of one row: for each stage, then the chooser, the state of its fold, or None


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages in the order in which they are applied, and what chooses at the end; a decoder like any other.

    ``chooser``: None draws, by inverse CDF over the columns that are left. A temperature that stands last before the
    draw is a part of it and is not rounded to float32; then ``top-k:40,temperature:0.8`` chooses what a model file's
    graph chooses, to the bit. Made by :func:`genrun.registry.make_chain`.
    """

    stages: tuple[Any, ...]
    chooser: Any = None
    _links: tuple[Any, ...] = field(init=False, repr=False, compare=False)
    _applied: tuple[tuple[int, Any], ...] = field(init=False, repr=False, compare=False)
    _temperature: float | None = field(init=False, repr=False, compare=False)
    _folding: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        links = (*self.stages, self.chooser)
        applied, temperature = len(self.stages), 1.0 if self.chooser is None else _drawn_at(self.chooser)
        if temperature == 1 and self.stages and (last := _drawn_at(self.stages[-1])) is not None:
            applied, temperature = applied - 1, last
        object.__setattr__(self, "_links", links)
        object.__setattr__(self, "_applied", tuple(enumerate(self.stages[:applied])))
        object.__setattr__(self, "_temperature", temperature)
        object.__setattr__(self, "_folding", frozenset(i for i, link in enumerate(links) if _has_state(link)))

    @property
    def has_states(self) -> bool:
        """Whether a stage or the chooser needs to know a row's past."""
        return bool(self._folding)

    @property
    def temperature(self) -> float | None:
        """At which temperature the chain draws from what its stages leave; None if a chooser does something else."""
        return self._temperature

    def parameters(self) -> Mapping[str, float] | None:
        """Return k and temperature if the chain is described by them, so that a model file's graph may choose."""
        k = -1
        for _, stage in self._applied:
            given = _parameters(stage)
            if given is None or given["k"] < 1 or given.get("temperature", 1) != 1:
                return None
            k = int(given["k"]) if k < 0 else min(k, int(given["k"]))
        if self._temperature is not None:
            return {"k": k, "temperature": self._temperature}
        given = _parameters(self.chooser)
        return {"k": 1} if given is not None and given["k"] == 1 else None

    def bind(self, vocabulary: Vocabulary) -> Chain:
        """Return this chain for a model: its stages have seen the words; raises OptionError where one cannot be."""
        if not any(isinstance(link, ForModel) for link in self._links):
            return self
        bound = [
            self._called(link, link.bind, vocabulary) if isinstance(link, ForModel) else link for link in self._links
        ]
        return dataclasses.replace(self, stages=tuple(bound[:-1]), chooser=bound[-1])

    def first(self, prompt: Sequence[int]) -> States:
        """Return the states of a row that has the ids of its prompt and no new token."""
        states: list[Any] = [None] * len(self._links)
        for number in self._folding:
            states[number] = self._called(self._links[number], self._links[number].first, prompt)
        return tuple(states)

    def follow(self, states: States, token: int) -> States:
        """Return the states of a row after one more token."""
        following = list(states)
        for number in self._folding:
            link = self._links[number]
            try:
                following[number] = link.follow(states[number], token)
            except BaseException as error:  # the stage may be anyone's
                _failed(link, error)
        return tuple(following)

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]``, with all ``tokens`` as prompts; the decoding loop calls :meth:`step` instead."""
        states = [self.first(row.tolist()) for row in tokens] if self.has_states else []
        return self.step(logits, tokens, states, draws)[0]

    def step(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        states: Sequence[States],
        draws: NDArray[np.float32],
    ) -> tuple[NDArray[np.int64], list[Any] | None]:
        """Return the chosen ids, int64 ``[batch]``, and the chooser's new states if it learns from its choice.

        ``logits``: float32 ``[batch, vocabulary]``, which are not changed. ``states``: those of each row, not needed
        for a chain without any. Raises PluginError for a stage or chooser that fails or breaks its contract.
        """
        candidates = self.candidates(logits, states, draws)
        if self._temperature is not None:
            return candidates.ids_at(self._drawn(candidates, draws)), None
        chooser = self.chooser
        if not hasattr(chooser, "pick"):
            return self._called(chooser, chooser.choose, candidates.whole(), tokens, draws), None
        own = self._own(len(self.stages), states, len(draws))
        ids = self._called(chooser, chooser.pick, candidates, own, draws)
        adapt = getattr(chooser, "adapt", None)
        return ids, None if adapt is None else self._called(chooser, adapt, candidates, own, ids)

    def distribution(
        self, logits: NDArray[np.float32], states: Sequence[States], draws: NDArray[np.float32]
    ) -> Candidates:
        """Return the candidates of the choice; their probabilities are those with which the chain chooses them.

        Arguments as for :meth:`step`; ``draws`` are for stages that need chance. Raises OptionError for a chooser
        that does not say how likely its choices are, such as one that learns from them.
        """
        candidates = self.candidates(logits, states, draws)
        if self._temperature is not None:
            if self._temperature == 1:
                return candidates
            return candidates.with_logits(candidates.logits / np.float32(self._temperature))
        given = _parameters(self.chooser)
        if given is not None and given["k"] == 1:
            return candidates.top(1)
        raise OptionError(f"the decoder {class_name(self.chooser)} does not say how likely its choices are")

    def candidates(
        self, logits: NDArray[np.float32], states: Sequence[States], draws: NDArray[np.float32]
    ) -> Candidates:
        """Return what the stages leave of the vocabulary, before the draw; arguments as for :meth:`step`."""
        candidates, stateless = Candidates(None, logits, logits.shape[1]), [None] * len(draws)
        for number, stage in self._applied:
            own = [row[number] for row in states] if number in self._folding else stateless
            candidates = _left(stage, candidates, own, draws)
        return candidates

    def passed(
        self, logits: NDArray[np.float32], states: Sequence[States], draws: NDArray[np.float32]
    ) -> Iterator[Candidates]:
        """Yield the whole vocabulary, and then what each stage leaves; arguments as for :meth:`step`.

        A temperature that is a part of the draw is not among the stages.
        """
        candidates = Candidates(None, logits, logits.shape[1])
        yield candidates
        for number, stage in self._applied:
            candidates = _left(stage, candidates, self._own(number, states, len(draws)), draws)
            yield candidates

    def _own(self, number: int, states: Sequence[States], batch: int) -> Sequence[Any]:
        return [row[number] for row in states] if number in self._folding else [None] * batch

    def _called(self, link: Any, method: Any, *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except BaseException as error:  # the stage may be anyone's
            _failed(link, error)

    def _drawn(self, candidates: Candidates, draws: NDArray[np.float32]) -> NDArray[np.intp]:
        try:
            return drawn(candidates.weights(self._temperature or 1.0), draws)
        except NotANumberError:
            raise PluginError("the stages of the chain have left a row without candidates, or not a number") from None


def _left(stage: Any, candidates: Candidates, own: Sequence[Any], draws: NDArray[np.float32]) -> Candidates:
    """Return what ``stage`` leaves; ``own``: its state for each row."""
    try:
        left = stage.apply(candidates, own, draws)
    except BaseException as error:  # the stage may be anyone's
        _failed(stage, error)
    if type(left) is not Candidates or len(left.logits) != len(draws):
        raise PluginError(f"decoder {class_name(stage)} must return the candidates of {len(draws)} rows")
    return left


def _failed(link: object, error: BaseException) -> NoReturn:
    if isinstance(error, AttributeError) and isinstance(link, ForModel):
        raise OptionError(f"decoder {class_name(link)} needs the words of a model") from None
    blame(f"decoder {class_name(link)} failed", error)


def _has_state(link: object) -> bool:
    try:
        return isinstance(link, Fold) and link.first(()) is not None
    except BaseException as error:  # the stage may be anyone's
        _failed(link, error)


def _parameters(link: object) -> Mapping[str, float] | None:
    found = getattr(link, "parameters", None)
    try:
        return found() if callable(found) else None
    except BaseException as error:  # the stage may be anyone's
        _failed(link, error)


def _drawn_at(link: object) -> float | None:
    """Return the temperature of what only draws from all candidates; None for anything else."""
    given = _parameters(link)
    return float(given.get("temperature", 1)) if given is not None and given.get("k") == -1 else None
