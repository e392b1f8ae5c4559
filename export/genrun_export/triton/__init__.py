"""A model repository for NVIDIA Triton Inference Server, made of a model file."""

from __future__ import annotations

from genrun_export.triton.repository import TritonModel, export_triton

__all__ = ["TritonModel", "export_triton"]
