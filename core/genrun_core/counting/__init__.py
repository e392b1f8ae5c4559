"""Counting: an interpolated modified Kneser-Ney n-gram model, and its mixture with a network."""

from __future__ import annotations

from genrun_core.counting.counter import count_ngrams
from genrun_core.counting.mixture import Mixture, fit_mixture
from genrun_core.counting.model import Counted, CountingModel
from genrun_core.counting.pruning import prune

__all__ = ["Counted", "CountingModel", "Mixture", "count_ngrams", "fit_mixture", "prune"]
