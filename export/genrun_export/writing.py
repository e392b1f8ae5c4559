"""Writing a model file: in float32, held to Keras, and then, if wanted, in smaller numbers, held to float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import onnx

from genrun.errors import ExportError
from genrun.loading.graph.properties import with_digest
from genrun.loading.metadata import GenerationDefaults, Metadata, Verification
from genrun.loading.opening import MappedFile
from genrun.model import load
from genrun.scoring.verification import verify
from genrun.stepping.session import StepSession
from genrun.tokenizer import Tokenizer
from genrun_export.choice_parity import check_choices
from genrun_export.golden import clear_continuations, golden_texts
from genrun_export.matrices import find_matrices
from genrun_export.parity import BATCH_SIZES, DRAWN_TOKENS, NEW_TOKENS, ParityFigures, Prompt, check_parity
from genrun_export.quantization_gate import QuantizationFigures, quantize_within
from genrun_export.sample import Sample

__all__ = ["Writer"]

_SETTLING = 4  # the file holds its own size, so it is written until that is right

# Where a value falls on the boundary between two small numbers, a difference in the last bit becomes one of a whole
# unit. Between machines, logits of a quantized file differ by some hundredths, not by millionths.
_QUANTIZED_LOGIT_TOLERANCE = 0.1
_QUANTIZED_CLEAR = 2 * _QUANTIZED_LOGIT_TOLERANCE  # two logits, each off by as much, keep their order


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the step ``model`` of a ``network``, with what the model file says of it, to ``path``."""

    path: Path
    model: onnx.ModelProto
    network: keras.Model
    tokenizer: Tokenizer
    defaults: GenerationDefaults
    card: Mapping[str, Any]
    prompts: Sequence[Prompt]

    def write(self) -> ParityFigures:
        """Write the step in float32; raises ExportError if it does not compute what Keras computes."""
        session = self._opened(self.model)
        figures, continuations = check_parity(self.network, session, self.prompts, self.defaults.suppressed_ids)
        golden = golden_texts(self.tokenizer, session, self.prompts, continuations)
        self._save(self.model, Verification(figures.to_json(), golden))
        self._replay()
        return figures

    def quantize(self, kind: str, sample: Sample, parity: ParityFigures) -> QuantizationFigures:
        """Write the step anew with smaller numbers; raises ExportError if they cost too much perplexity.

        Golden texts are what the quantized step itself says, as far as its choices were clear by _QUANTIZED_CLEAR.
        """
        matrices = find_matrices(self.model.graph, self.network)
        float32_bytes = self.path.stat().st_size
        quantized = quantize_within(self.model, kind, matrices, sample, self._opened)
        session = self._opened(quantized.model)
        suppressed = self.defaults.suppressed_ids
        check_choices(
            session,
            [prompt.ids for prompt in self.prompts],
            count=DRAWN_TOKENS,
            batch_sizes=BATCH_SIZES,
            suppressed_ids=suppressed,
        )
        continuations = clear_continuations(
            session, self.prompts, suppressed, count=NEW_TOKENS, batch_sizes=BATCH_SIZES, margin=_QUANTIZED_CLEAR
        )
        golden = golden_texts(self.tokenizer, session, self.prompts, continuations)
        size = 0
        for _ in range(_SETTLING):
            figures = quantized.figures(kind, sample, float32_bytes=float32_bytes, size=size)
            verification = Verification(
                parity.to_json(), golden, figures.to_json(), logit_tolerance=_QUANTIZED_LOGIT_TOLERANCE
            )
            size = self._save(quantized.model, verification)
            if size == figures.bytes:
                break
        self._replay()
        return figures

    def _opened(self, model: onnx.ModelProto) -> StepSession:
        """Return a session over the step as a file of its own, without metadata."""
        _write(model, self.path)
        session = StepSession(MappedFile(self.path), device="cpu")
        session.bind(len(self.tokenizer))
        return session

    def _save(self, model: onnx.ModelProto, verification: Verification) -> int:
        """Write the file, with its metadata, and return its size in bytes."""
        metadata = Metadata(self.tokenizer, self.defaults, self.card, verification)
        described = onnx.ModelProto()
        described.MergeFrom(model)
        for key, value in metadata.to_properties().items():
            described.metadata_props.add(key=key, value=value)
        return _write(described, self.path)

    def _replay(self) -> None:
        report = verify(load(self.path, device="cpu"))
        if not report.passed:
            raise ExportError(f"refused: the finished file does not reproduce itself: {report.differences[0]}")


def _write(model: onnx.ModelProto, path: Path) -> int:
    return path.write_bytes(with_digest(model.SerializeToString()))
