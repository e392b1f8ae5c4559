"""The export half of genrun: run folder → one verified ``.onnx`` model file. The only place that uses tf2onnx."""

from __future__ import annotations
