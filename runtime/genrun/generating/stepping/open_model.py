"""An open model file: what it holds, and the device that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from genrun.errors import GenrunError
from genrun.generating.stepping.session import StepSession
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer

__all__ = ["OpenModel"]


class OpenModel:
    """The properties of a model, all read-only, and its end.

    In a ``with`` statement, the model is closed at the end of the block.
    """

    def __init__(self, session: StepSession, metadata: Metadata) -> None:
        self._opened: StepSession | None = session
        self._metadata = metadata
        self.path: Path = session.path
        """The file that the model was loaded from; for one loaded from bytes, a name such as ``<bytes>``."""
        self.size: int = session.size
        """The bytes of the file."""
        self.device: str = session.device
        """The device that is really used: ``cpu``, ``cuda``, or the name of another execution provider."""
        self.providers: tuple[str, ...] = session.providers
        """The execution providers of onnxruntime that are really in use, the preferred one first."""
        self.device_reason: str = session.device_reason
        """Why that device was chosen, in a few words."""

    def __repr__(self) -> str:
        closed = ", closed" if self._opened is None else ""
        return f"<Model {str(self.path)!r}: vocabulary {len(self.tokenizer):,}, on {self.device}{closed}>"

    def close(self) -> None:
        """Give back the memory of the model once the calls that are using it have ended; new calls raise GenrunError.

        Closing again does nothing. What the model says about itself can still be read. A model that is no longer
        referred to is closed by itself.
        """
        self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _session(self) -> StepSession:
        if self._opened is None:
            raise GenrunError(f"{self.path}: the model is closed")
        return self._opened

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._metadata.tokenizer

    @property
    def defaults(self) -> GenerationDefaults:
        """How the model generates unless told otherwise."""
        return self._metadata.generation

    @property
    def card(self) -> Mapping[str, Any]:
        """How the model was made, as its file records it: architecture, corpus, metrics, versions, licence, date."""
        return self._metadata.card

    @property
    def digest(self) -> str:
        """What the file's content was at its export, ``sha256:…``; empty for a file that does not say."""
        return self._metadata.digest

    @property
    def verification(self) -> Verification:
        """What the export measured, and the golden texts that ``genrun verify`` replays."""
        return self._metadata.verification
