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
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer
from genrun_export.choice_parity import check_choices
from genrun_export.file_content import content_of, session_over
from genrun_export.golden import golden_texts
from genrun_export.greedy import BATCH_SIZES, continuations
from genrun_export.matrices import find_matrices
from genrun_export.parity import DRAWN_TOKENS, ParityFigures, check_parity
from genrun_export.prompts import Prompt
from genrun_export.quantization_gate import QuantizationFigures, quantize_within
from genrun_export.sample import Sample

__all__ = ["ModelFile"]

# Where a value falls on the boundary between two small numbers, a difference in the last bit becomes one of a whole
# unit. Between machines, logits of a quantized file differ by some hundredths, not by millionths.
_QUANTIZED_LOGIT_TOLERANCE = 0.1
_QUANTIZED_CLEAR = 2 * _QUANTIZED_LOGIT_TOLERANCE  # two logits, each off by as much, keep their order


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file in the making: the step ``model`` of a ``network``, and what the file records beside it.

    ``scratch``: a path for the steps that the gates open.
    """

    scratch: Path
    model: onnx.ModelProto
    network: keras.Model
    tokenizer: Tokenizer
    defaults: GenerationDefaults
    card: Mapping[str, Any]
    prompts: Sequence[Prompt]

    def in_float32(self) -> tuple[bytes, ParityFigures]:
        """Return the content of the file; raises ExportError if its step does not compute what Keras computes."""
        session = self._opened(self.model)
        figures, greedy = check_parity(self.network, session, self.prompts, self.defaults.suppressed_ids)
        golden = golden_texts(self.tokenizer, session, self.prompts, greedy)
        return self._content(self.model, Verification(figures.to_json(), golden)), figures

    def quantized(
        self, kind: str, sample: Sample, parity: ParityFigures, float32_bytes: int
    ) -> tuple[bytes, QuantizationFigures]:
        """Return the content of the file with smaller numbers; raises ExportError if they cost too much perplexity.

        Golden texts are what the quantized step itself says, as far as its choices were clear by _QUANTIZED_CLEAR.
        """
        matrices = find_matrices(self.model.graph, self.network)
        small = quantize_within(self.model, kind, matrices, sample, self._opened)
        session = self._opened(small.model)
        suppressed = self.defaults.suppressed_ids
        check_choices(
            session,
            [prompt.ids for prompt in self.prompts],
            count=DRAWN_TOKENS,
            batch_sizes=BATCH_SIZES,
            suppressed_ids=suppressed,
        )
        greedy = continuations(session, self.prompts, suppressed, _QUANTIZED_CLEAR)
        golden = golden_texts(self.tokenizer, session, self.prompts, greedy)
        figures = small.figures(kind, sample, float32_bytes)
        verification = Verification(
            parity.to_json(), golden, figures.to_json(), logit_tolerance=_QUANTIZED_LOGIT_TOLERANCE
        )
        return self._content(small.model, verification), figures

    def _opened(self, model: onnx.ModelProto) -> StepSession:
        return session_over(model, self.scratch, len(self.tokenizer))

    def _content(self, model: onnx.ModelProto, verification: Verification) -> bytes:
        return content_of(model, Metadata(self.tokenizer, self.defaults, self.card, verification))
