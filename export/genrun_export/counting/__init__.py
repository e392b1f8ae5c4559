"""Counting in the model file: an n-gram model as a decoding step, or mixed into a network's."""

from __future__ import annotations

from genrun_export.counting.mixing import add_counting
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import WIDTHS, Tables, make_tables

__all__ = ["WIDTHS", "Tables", "add_counting", "counting_step", "make_tables"]
