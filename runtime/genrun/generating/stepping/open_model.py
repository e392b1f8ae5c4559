"""An open model file: what it holds, and the device that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrun.generating.stepping.session import StepSession
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer

__all__ = ["OpenModel"]


class OpenModel:
    """The properties of a model, all read-only."""

    def __init__(self, session: StepSession, metadata: Metadata) -> None:
        self._session = session
        self._metadata = metadata

    @property
    def path(self) -> Path:
        """The file that the model was loaded from."""
        return self._session.path

    @property
    def device(self) -> str:
        """The device that is really used: ``cpu``, ``cuda``, or the name of another execution provider."""
        return self._session.device

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers of onnxruntime that are really in use, the preferred one first."""
        return self._session.providers

    @property
    def device_reason(self) -> str:
        """Why that device was chosen, in a few words."""
        return self._session.device_reason

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
        """What the model file says of its making: architecture, corpus, metrics, versions, licence, date."""
        return self._metadata.card

    @property
    def digest(self) -> str:
        """What the file's content was at its export, ``sha256:…``; empty for a file that does not say."""
        return self._metadata.digest

    @property
    def verification(self) -> Verification:
        """What the export measured, and the golden texts that ``genrun verify`` replays."""
        return self._metadata.verification
