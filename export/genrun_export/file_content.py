"""A model file as bytes, and a session over a step that is not yet a file of its own."""

from __future__ import annotations

from pathlib import Path

import onnx

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.loading.graph.properties import with_digest
from genrun.loading.metadata import Metadata
from genrun.loading.opening import MappedFile
from genrun.model import load
from genrun.scoring.verification import verify

__all__ = ["content_of", "replay", "session_over"]


def content_of(model: onnx.ModelProto, metadata: Metadata) -> bytes:
    """Return the model file of a step: its graph, its metadata, and the digest of both."""
    described = onnx.ModelProto()
    described.MergeFrom(model)
    for key, value in metadata.to_properties().items():
        described.metadata_props.add(key=key, value=value)
    return with_digest(described.SerializeToString())


def session_over(model: onnx.ModelProto, scratch: Path, vocabulary: int) -> StepSession:
    """Return a session over a step, which is written to ``scratch`` without metadata."""
    scratch.write_bytes(with_digest(model.SerializeToString()))
    session = StepSession(MappedFile(scratch), device="cpu")
    session.bind(vocabulary)
    return session


def replay(path: Path) -> None:
    """Raise ExportError unless the finished file reproduces its golden texts."""
    report = verify(load(path, device="cpu"))
    if not report.passed:
        raise ExportError(f"refused: the finished file does not reproduce itself: {report.differences[0]}")
