"""The presets ``huggingface`` and ``llama.cpp``: their stages in their orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from genrun_plugins.decoders.cutting.min_p import MinP
from genrun_plugins.decoders.cutting.top_n_sigma import TopNSigma
from genrun_plugins.decoders.cutting.truncation import Epsilon, Eta
from genrun_plugins.decoders.cutting.typical import Typical
from genrun_plugins.decoders.cutting.xtc import Xtc
from genrun_plugins.decoders.repeating.dry import Dry
from genrun_plugins.decoders.repeating.no_repeat_ngram import NoRepeatNgram
from genrun_plugins.decoders.repeating.penalties import Frequency, Presence, Repetition
from genrun_plugins.decoders.temperature import Temperature
from genrun_plugins.decoders.top_k import TopK
from genrun_plugins.decoders.top_p import TopP
from genrun_plugins.decoders.wording.min_length import MinLength

__all__ = ["HuggingFace", "LlamaCpp"]


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """The sampling of Hugging Face transformers 4: penalties, n-grams and length, temperature, then what narrows.

    The options have the names and defaults of its generation settings, with sampling; 0 leaves out top_k,
    no_repeat_ngram_size and the like, 1 leaves out temperature, top_p, typical_p and repetition_penalty.

    >>> HuggingFace(temperature=0.7, top_k=0, top_p=0.9).stages()
    [Temperature(temperature=0.7), TopP(p=0.9, temperature=1.0, repeats=True)]
    """

    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    epsilon_cutoff: float = 0.0
    eta_cutoff: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    min_new_tokens: int = 0

    def stages(self) -> Sequence[Any]:
        """Return the stages that change anything, in their order."""
        stages: list[tuple[bool, Callable[[], Any]]] = [
            (self.repetition_penalty != 1, lambda: Repetition(self.repetition_penalty, window=0)),
            (self.no_repeat_ngram_size != 0, lambda: NoRepeatNgram(self.no_repeat_ngram_size)),
            (self.min_new_tokens != 0, lambda: MinLength(self.min_new_tokens)),
            (self.temperature != 1, lambda: Temperature(self.temperature)),
            (self.top_k != 0, lambda: TopK(self.top_k)),
            (self.top_p != 1, lambda: TopP(self.top_p)),
            (self.min_p != 0, lambda: MinP(self.min_p)),
            (self.typical_p != 1, lambda: Typical(self.typical_p)),
            (self.epsilon_cutoff != 0, lambda: Epsilon(self.epsilon_cutoff)),
            (self.eta_cutoff != 0, lambda: Eta(self.eta_cutoff)),
        ]
        return [make() for used, make in stages if used]


@dataclass(frozen=True, slots=True)
class LlamaCpp:
    """The sampling of llama.cpp: penalties, DRY, top-nσ, top-k, typical, top-p, min-p, XTC, temperature.

    The options have the names and defaults of its command line; 0 leaves out top_k, min_p, dry_multiplier and
    xtc_probability, 1 top_p, typical and repeat_penalty, a top_nsigma below 0 that stage.

    >>> LlamaCpp(top_k=20, top_p=1, min_p=0.1, temp=1).stages()
    [TopK(k=20, temperature=1.0), MinP(p=0.1)]
    """

    temp: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical: float = 1.0
    top_nsigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    repeat_last_n: int = 64
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2

    def stages(self) -> Sequence[Any]:
        """Return the stages that change anything, in their order."""
        last = self.repeat_last_n
        stages: list[tuple[bool, Callable[[], Any]]] = [
            (self.repeat_penalty != 1, lambda: Repetition(self.repeat_penalty, last)),
            (self.frequency_penalty != 0, lambda: Frequency(self.frequency_penalty, last)),
            (self.presence_penalty != 0, lambda: Presence(self.presence_penalty, last)),
            (self.dry_multiplier != 0, lambda: Dry(self.dry_multiplier, self.dry_base, self.dry_allowed_length)),
            (self.top_nsigma > 0, lambda: TopNSigma(self.top_nsigma)),
            (self.top_k > 0, lambda: TopK(self.top_k)),
            (self.typical != 1, lambda: Typical(self.typical)),
            (self.top_p != 1, lambda: TopP(self.top_p)),
            (self.min_p != 0, lambda: MinP(self.min_p)),
            (self.xtc_probability != 0, lambda: Xtc(self.xtc_threshold, self.xtc_probability)),
            (self.temp != 1, lambda: Temperature(self.temp)),
        ]
        return [make() for used, make in stages if used]
