"""The gate of a quantization: on a sample of the run's documents, its perplexity must be that of float32.

Where it is not, the matrices that do the most harm stay float32, as few as it takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import onnx

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun_export.graph.matrices import Matrix
from genrun_export.quantizing.activation_ranges import largest_magnitudes
from genrun_export.quantizing.quantization import multiplied_values, quantize
from genrun_export.quantizing.sample import Sample

__all__ = ["QuantizationFigures", "Quantized", "quantize_within"]

ALLOWED_RATIO = 1.01


@dataclass(frozen=True, slots=True)
class QuantizationFigures:
    """What the gate measured: perplexity over ``tokens`` predictions in ``documents``.

    ``sample``: whether those documents were held out for validation, or trained on. ``float32_layers``: the matrices
    that stayed as they were. ``float32_bytes``: the size of the whole file before.
    """

    kind: str
    float32_perplexity: float
    perplexity: float
    ratio: float
    allowed_ratio: float
    sample: str
    documents: int
    tokens: int
    float32_layers: tuple[str, ...]
    float32_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self), "float32_layers": list(self.float32_layers)}

    def __str__(self) -> str:
        """Return the figures as one line."""
        left = ", ".join(self.float32_layers) or "none"
        return (
            f"{self.kind}: perplexity {self.perplexity:.5g}, float32 {self.float32_perplexity:.5g}, ratio "
            f"{self.ratio:.4f} (allowed {self.allowed_ratio:g}) on {self.documents:,} {self.sample} documents, "
            f"{self.tokens:,} tokens; left in float32: {left}"
        )


@dataclass(frozen=True, slots=True)
class Quantized:
    """A step that passed the gate, with the perplexities before and after."""

    model: onnx.ModelProto
    float32_perplexity: float
    perplexity: float
    float32_layers: tuple[str, ...]

    def figures(self, kind: str, sample: Sample, float32_bytes: int) -> QuantizationFigures:
        """Return the figures, as the file records them."""
        return QuantizationFigures(
            kind=kind,
            float32_perplexity=self.float32_perplexity,
            perplexity=self.perplexity,
            ratio=self.perplexity / self.float32_perplexity,
            allowed_ratio=ALLOWED_RATIO,
            sample="held-out" if sample.held_out else "training",
            documents=sample.documents,
            tokens=sample.tokens,
            float32_layers=self.float32_layers,
            float32_bytes=float32_bytes,
        )


def quantize_within(
    model: onnx.ModelProto,
    kind: str,
    matrices: Sequence[Matrix],
    sample: Sample,
    opened: Callable[[onnx.ModelProto], StepSession],
) -> Quantized:
    """Quantize as many of ``matrices`` as ALLOWED_RATIO leaves; ``opened`` opens a step as a file.

    Raises ExportError if even one of them alone, the most harmless, costs more.
    """
    session = opened(model)
    before = sample.perplexity(session)
    if not math.isfinite(before):
        raise ExportError("refused: the perplexity of float32 is infinite, so there is nothing to compare with")
    values = multiplied_values(model.graph, matrices) if kind == "int8" else []
    ranges = largest_magnitudes(model, session, values, sample) if values else {}

    def attempt(chosen: Sequence[Matrix]) -> Quantized:
        small = quantize(model, kind, chosen, ranges)
        left = tuple(matrix.name for matrix in matrices if matrix not in chosen)
        return Quantized(small, before, sample.perplexity(opened(small)), left)

    first = found = attempt(matrices)
    if not _passes(first):
        alone = {matrix.name: attempt([matrix]).perplexity for matrix in matrices}
        harmless_first = sorted(matrices, key=lambda matrix: alone[matrix.name])
        for count in range(len(matrices) - 1, 0, -1):
            found = attempt([matrix for matrix in matrices if matrix in harmless_first[:count]])
            if _passes(found):
                break
        else:
            raise ExportError(_refusal(kind, sample, first, found, harmless_first[0]))
    return found


def _passes(quantized: Quantized) -> bool:
    return quantized.perplexity <= quantized.float32_perplexity * ALLOWED_RATIO


def _refusal(kind: str, sample: Sample, first: Quantized, last: Quantized, harmless: Matrix) -> str:
    where = f"{sample.documents:,} {'held-out' if sample.held_out else 'training'} documents"
    return (
        f"refused: with {kind} the perplexity on {where} is {first.perplexity:.5g}, {_excess(first)} above the "
        f"{first.float32_perplexity:.5g} of float32 (allowed {ALLOWED_RATIO - 1:.0%}); with {harmless.name} alone "
        f"quantized it is still {_excess(last)} above"
    )


def _excess(quantized: Quantized) -> str:
    return f"{quantized.perplexity / quantized.float32_perplexity - 1:.2%}"
