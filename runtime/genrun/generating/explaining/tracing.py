"""Generates one text and records, for each token, what passes from stage to stage of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun import registry
from genrun.checks.short_text import class_name
from genrun.contracts import Decoder
from genrun.errors import GenrunError
from genrun.generating.explaining.explanation import (
    ExplainedCandidate,
    ExplainedStage,
    ExplainedWord,
    Explanation,
)
from genrun.generating.generator import TextGenerator
from genrun.results import warn_unknown
from genrun.sampling import Candidates, Chain
from genrun.sampling.chain import States
from genrun.sampling.weights import exact_weights

__all__ = ["explained"]


class _Step(NamedTuple):
    """Probabilities float64 ``[vocabulary]`` by the model and after each stage; the choice and its draw."""

    distributions: list[NDArray[np.float64]]
    token: int
    draw: float


@dataclass(frozen=True, slots=True)
class _TracingChain(Chain):
    """A chain that records each step. ``alone``: the decoder that chooses, if it is not a chain."""

    alone: Decoder | None = None
    steps: list[_Step] = field(default_factory=list, compare=False)

    def parameters(self) -> Mapping[str, float] | None:
        """Return None, so that no graph chooses in its place."""
        return None

    def step(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        states: Sequence[States],
        draws: NDArray[np.float32],
    ) -> tuple[NDArray[np.int64], list[Any] | None]:
        """Return what the chain chooses for the only row, and record it."""
        passed = [_probabilities(each) for each in self.passed(logits, states, draws)]
        if len(passed) <= len(self.stages):  # the last stage is a temperature, and a part of the draw
            passed.append(_probabilities(self.candidates(logits, states, draws), self.temperature or 1.0))
        if self.alone is None:
            ids, adapted = Chain.step(self, logits, tokens, states, draws)
        else:
            ids, adapted = self.alone.choose(logits.copy(), tokens, draws), None
        if isinstance(ids, np.ndarray) and ids.shape == (1,):  # anything else is refused by who has called
            self.steps.append(_Step(passed, int(ids[0]), float(draws[0])))
        return ids, adapted


def explained(generator: TextGenerator, prompt: str, sample: int, most: int) -> Explanation:
    """Generate the ``sample`` of ``prompt``; return how it came about, with ``most`` candidates for each token."""
    decoder = generator.settings.decoder
    links, chooser = _links(decoder)
    alone = None if isinstance(decoder, Chain) else decoder
    own = decoder.chooser if isinstance(decoder, Chain) else None if links else decoder
    chain = _TracingChain(links, own, alone=alone)
    tracing = generator.with_decoder(chain)
    request = tracing.begin(prompt, sample=sample, streaming=True)
    warn_unknown(request.encoding.unknown)
    batch = tracing.batch()
    batch.admit([request.row])
    stream, before, taken = request.row.text_stream, list[str](), list[_Step]()
    text = stream.prompt_text if stream else ""
    while len(batch):
        request.row.new_text = ""
        batch.advance()
        if chain.steps:  # otherwise the step has read a token of the prompt
            token = request.row.new_ids[-1]
            taken.append([step for step in chain.steps if step.token == token][-1])  # others were drawn again
            chain.steps.clear()
            before.append(text)
            text += request.row.new_text
    result = tracing.result(request)
    names = ["model", *map(_name, links)]
    words = [_word(step, text, names, generator, most) for step, text in zip(taken, before, strict=True)]
    return Explanation(
        prompt=prompt,
        text=result.text,
        seed=result.seed,
        sample=sample,
        chooser=chooser,
        words=tuple(words),
        copied_run=result.copied_run,
        is_training_line=result.is_training_line,
    )


def _links(decoder: Decoder) -> tuple[tuple[Any, ...], str]:
    """Return the stages of a decoder, and the name of what chooses."""
    if isinstance(decoder, Chain):
        return decoder.stages, "draw" if decoder.chooser is None else _name(decoder.chooser)
    if callable(getattr(decoder, "apply", None)):
        return (decoder,), "draw"
    return (), _name(decoder)


def _name(link: Any) -> str:
    """Return a stage as one writes it: without the options that have their defaults."""
    try:
        [described] = registry.chain_json(link)
    except GenrunError:  # it is not installed
        return class_name(link)
    given = {each.name: each.default for each in fields(link)} if is_dataclass(link) else {}
    options = {name: value for name, value in described["options"].items() if given.get(name) != value}
    text = registry.chain_text([{**described, "options": options}])
    return text.replace(f":{next(iter(given))}=", ":", 1) if given else text


def _probabilities(candidates: Candidates, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return the probabilities of the whole vocabulary for the only row, float64 ``[vocabulary]``."""
    weights = exact_weights(candidates.whole(), temperature)[0]
    shares: NDArray[np.float64] = weights / max(weights.sum(), 1.0)
    return shares


def _word(step: _Step, before: str, names: Sequence[str], generator: TextGenerator, most: int) -> ExplainedWord:
    passed = np.array(step.distributions)  # [stages + 1, vocabulary]
    highest = np.maximum(passed[0], passed[-1])
    found = [int(token) for token in np.argsort(-highest, kind="stable")[:most] if highest[token] > 0]
    shown = sorted({*found, step.token}, key=lambda token: (-passed[-1, token], -passed[0, token], token))
    stages = []
    for number, name in enumerate(names):
        out = (passed[number] == 0) & (passed[max(number - 1, 0)] > 0)
        removed = float(passed[max(number - 1, 0)][out].sum())
        stages.append(ExplainedStage(name, int((passed[number] > 0).sum()), removed))
    return ExplainedWord(
        id=step.token,
        text=_text(generator, step.token),
        before=before,
        draw=step.draw,
        candidates=tuple(
            [ExplainedCandidate(token, _text(generator, token), tuple(passed[:, token].tolist())) for token in shown]
        ),
        stages=tuple(stages),
    )


def _text(generator: TextGenerator, token: int) -> str:
    tokenizer = generator.tokenizer
    if token < len(tokenizer.specials):
        return tokenizer.vocabulary[token]
    if tokenizer.kind == "bpe":
        return tokenizer.decode([token])
    return tokenizer.piece(token, generator.settings.casing)
