"""The content of a model file: in float32, checked against Keras, or in smaller numbers, checked against float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import onnx

from genrun.generating.stepping.session import StepSession
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.originality import TrainingRuns
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer
from genrun_core.counting.mixed import Mixed
from genrun_core.runs.atomic import scratch_beside
from genrun_export.counting.mixed_gate import MixtureFigures, check_mixture
from genrun_export.file.file_content import Content, open_step, session_over, write_step
from genrun_export.gate.choice_parity import check_choices
from genrun_export.gate.golden import golden_texts
from genrun_export.gate.greedy import BATCH_SIZES, DRAWN_TOKENS, continuations
from genrun_export.gate.parity import CLEAR, ParityFigures, check_parity
from genrun_export.gate.prompts import Prompt
from genrun_export.graph.choosing import add_choosing
from genrun_export.graph.conversion import add_weights
from genrun_export.graph.matrices import find_matrices
from genrun_export.quantizing.quantization_gate import QuantizationFigures, quantize_within
from genrun_export.quantizing.sample import Sample

__all__ = ["ModelFile"]

# Where a value falls on the boundary between two small numbers, a difference in the last bit becomes one of a whole
# unit. Between machines, logits of a quantized file differ by some hundredths, not by millionths.
_QUANTIZED_LOGIT_TOLERANCE = 0.1
_QUANTIZED_CLEAR = 2 * _QUANTIZED_LOGIT_TOLERANCE  # two logits, each off by as much, keep their order


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file in the making: the step ``model`` of a ``network``, and what the file records beside it.

    ``model``: without its ``weights``, which are its inputs, by name; ``alone``: the same without what is ``mixed``
    with the network, None for nothing. ``scratch``: a path for the steps that the gates open. ``training_runs``: the
    hashed runs of the training text, None to leave them out.
    """

    scratch: Path
    model: onnx.ModelProto
    alone: onnx.ModelProto
    weights: Mapping[str, keras.Variable]
    network: keras.Model
    tokenizer: Tokenizer
    defaults: GenerationDefaults
    card: Mapping[str, Any]
    prompts: Sequence[Prompt]
    mixed: Mixed | None = None
    training_runs: TrainingRuns | None = None

    def in_float32(self) -> tuple[Content, ParityFigures, MixtureFigures | None]:
        """Return the content of the file and the figures of its gates.

        Raises ExportError if its step does not compute what Keras computes, mixed with the counts.
        """
        write_step(self.model, self.scratch, self.weights)
        session = open_step(self.scratch, len(self.tokenizer))
        if self.mixed is None:
            parity, greedy = check_parity(self.network, session, self.prompts, self.defaults.suppressed_ids)
            mixture: MixtureFigures | None = None
            figures = parity.to_json()
        else:
            parity, mixture, greedy = self._mixture(session, self.mixed)
            figures = {**parity.to_json(), "mixture": mixture.to_json()}
        golden = golden_texts(self.tokenizer, session, self.prompts, greedy)
        return self._content(Verification(figures, golden)), parity, mixture

    def _mixture(
        self, session: StepSession, mixed: Mixed
    ) -> tuple[ParityFigures, MixtureFigures, list[tuple[int, ...]]]:
        """Check the network alone, and then its mixture with the counts."""
        suppressed = self.defaults.suppressed_ids
        alone = onnx.ModelProto()
        alone.CopyFrom(self.alone)
        add_choosing(alone, suppressed)
        with scratch_beside(self.scratch) as beside:
            write_step(alone, beside, self.weights)
            network = open_step(beside, len(self.tokenizer))
            parity, _ = check_parity(self.network, network, self.prompts, suppressed)
            greedy = continuations(session, self.prompts, suppressed, CLEAR)
            texts = [prompt.ids + new for prompt, new in zip(self.prompts, greedy, strict=True)]
            sequences = [prompt.document for prompt in self.prompts] + texts
            mixture = check_mixture(session, network, mixed, sequences)
        self._check_choices(session)
        return parity, mixture, greedy

    def _check_choices(self, session: StepSession) -> None:
        starts = [prompt.ids for prompt in self.prompts]
        suppressed = self.defaults.suppressed_ids
        check_choices(session, starts, count=DRAWN_TOKENS, batch_sizes=BATCH_SIZES, suppressed_ids=suppressed)

    def quantized(self, kind: str, sample: Sample, float32: Content) -> tuple[Content, QuantizationFigures]:
        """Return the content of the file with smaller numbers; raises ExportError if they cost too much perplexity.

        Golden texts are what the quantized step itself says, as far as its choices were clear by _QUANTIZED_CLEAR.
        """
        former = float32.size()  # before its step makes room for others
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        add_weights(model, self.weights)
        matrices = find_matrices(model.graph, self.network)
        small = quantize_within(model, kind, matrices, sample, self._opened)
        session = self._opened(small.model)
        self._check_choices(session)
        greedy = continuations(session, self.prompts, self.defaults.suppressed_ids, _QUANTIZED_CLEAR)
        golden = golden_texts(self.tokenizer, session, self.prompts, greedy)
        figures = small.figures(kind, sample, former)
        parity = float32.metadata.verification.figures
        verification = Verification(parity, golden, figures.to_json(), logit_tolerance=_QUANTIZED_LOGIT_TOLERANCE)
        return self._content(verification), figures

    def _opened(self, model: onnx.ModelProto) -> StepSession:
        return session_over(model, self.scratch, len(self.tokenizer))

    def _content(self, verification: Verification) -> Content:
        metadata = Metadata(self.tokenizer, self.defaults, self.card, verification, training_runs=self.training_runs)
        return Content(self.scratch, metadata)
