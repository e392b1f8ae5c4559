"""Describes the setup of a benchmark: model, decoder and machine."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from genrun.contracts import Decoder
from genrun.errors import GenrunError
from genrun.generating.settings import GenerationSettings
from genrun.generating.stepping.session import StepSession
from genrun.loading.device import import_onnxruntime
from genrun.model import Model
from genrun.registry import chain_json, chain_text

__all__ = ["Setup", "cpu_name", "describe_setup"]


@dataclass(frozen=True, slots=True)
class Setup:
    """The model, decoder and machine of a benchmark.

    ``architecture``: in words, from the model's card, empty if the card has none. ``threads``: number of CPU threads
    in use. ``cpu``: the processor's name.
    """

    model: str
    bytes: int
    architecture: str
    vocabulary: int
    decoder: str
    device: str
    device_reason: str
    threads: int
    cpu: str
    onnxruntime: str

    def to_json(self) -> dict[str, Any]:
        """Return the setup as a JSON-ready dictionary."""
        return asdict(self)


def describe_setup(model: Model, settings: GenerationSettings | None = None) -> Setup:
    """Return the setup of a benchmark of ``model`` with ``settings``, None for the model's own."""
    settings = settings or model.settings()
    session, decoder = model._session, settings.decoder
    return Setup(
        model=str(model.path),
        bytes=model.size,
        architecture=_architecture(model),
        vocabulary=len(model.tokenizer),
        decoder=_described(decoder),
        device=model.device,
        device_reason=model.device_reason,
        threads=max(_threads_of_a_step(session), model._threads.count),
        cpu=cpu_name(),
        onnxruntime=str(import_onnxruntime().__version__),
    )


def _described(decoder: Decoder) -> str:
    """Return a decoder as the option ``--decoder`` takes it; the object of one that is not installed."""
    try:
        return chain_text(chain_json(decoder))
    except GenrunError:
        return repr(decoder) if is_dataclass(decoder) else type(decoder).__name__


def _threads_of_a_step(session: StepSession) -> int:
    return session.onnx.get_session_options().intra_op_num_threads or os.cpu_count() or 1


def _architecture(model: Model) -> str:
    described = model.card.get("architecture")
    if not isinstance(described, dict):
        return ""
    kind, hidden, embedding = (described.get(name) for name in ("architecture", "hidden_size", "embedding_size"))
    if kind == "ngram":
        return f"ngram of order {described.get('order')}"
    return f"{described.get('layers', 1)} × {kind} {hidden}, embedding {embedding}" if kind else ""


def cpu_name() -> str:
    """Return the processor's name, as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
