"""A model file as bytes, and a session over a step that is not yet a file of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from numpy.typing import ArrayLike

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.loading.graph.properties import digest_entry, with_digest
from genrun.loading.metadata import Metadata
from genrun.loading.opening import MappedFile
from genrun.model import load
from genrun.scoring.verification import verify
from genrun_export.file.serializing import pieces

__all__ = ["Content", "content_of", "open_step", "replay", "session_over", "write_step"]

_BLOCK = 2**20


def content_of(model: onnx.ModelProto, metadata: Metadata) -> bytes:
    """Return the model file of a step: its graph, its metadata, and the digest of both."""
    return with_digest(model.SerializeToString() + _entries(metadata))


def write_step(model: onnx.ModelProto, path: Path, weights: Mapping[str, ArrayLike]) -> None:
    """Write a step without metadata; inputs of ``model`` that are called as ``weights`` become constants."""
    with path.open("wb") as file:
        for piece in pieces(model, weights):
            file.write(piece)


def open_step(path: Path, vocabulary: int) -> StepSession:
    """Return a session over a step that :func:`write_step` wrote."""
    session = StepSession(MappedFile(path), device="cpu")
    session.bind(vocabulary)
    return session


def session_over(model: onnx.ModelProto, scratch: Path, vocabulary: int) -> StepSession:
    """Return a session over a step, which is written to ``scratch`` without metadata."""
    write_step(model, scratch, {})
    return open_step(scratch, vocabulary)


@dataclass(frozen=True, slots=True)
class Content:
    """A model file that is to be: the file of its ``step``, of which no byte will change, and its metadata."""

    step: Path
    metadata: Metadata

    def size(self) -> int:
        """Return the size of the model file in bytes."""
        return self.step.stat().st_size + len(with_digest(_entries(self.metadata)))

    def write(self, output: Path) -> None:
        """Write the model file."""
        sha = hashlib.sha256()
        with self.step.open("rb") as step, output.open("wb") as file:
            while block := step.read(_BLOCK):
                sha.update(block)
                file.write(block)
            sha.update(entries := _entries(self.metadata))
            file.write(entries + digest_entry(sha.hexdigest()))


def replay(path: Path) -> None:
    """Raise ExportError unless the finished file reproduces its golden texts."""
    report = verify(load(path, device="cpu"))
    if not report.passed:
        raise ExportError(f"refused: the finished file does not reproduce itself: {report.differences[0]}")


def _entries(metadata: Metadata) -> bytes:
    """Return the metadata as entries of an ONNX file, to stand behind its graph."""
    shell = onnx.ModelProto()
    for key, value in metadata.to_properties().items():
        shell.metadata_props.add(key=key, value=value)
    entries: bytes = shell.SerializeToString()
    return entries
