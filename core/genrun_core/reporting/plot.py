"""A report as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genrun.errors import OptionError
from genrun_core.backend import require_training
from genrun_core.reporting.advice import MEASURES
from genrun_core.reporting.report import Report
from genrun_core.runs.atomic import replacing

__all__ = ["check_plot", "draw_report"]

_WIDTH = 0.38  # of a bar
_SIDES = (("texts", "#1f77b4"), ("documents", "#b0b0b0"))


def check_plot(path: Path) -> None:
    """Raise MissingExtraError without matplotlib, OptionError for a file that no folder can take; writes nothing."""
    require_training("a plot", ("matplotlib",))
    if not path.parent.is_dir():
        raise OptionError(f"{path}: there is no folder {str(path.parent)!r} for the plot")


def draw_report(report: Report, path: Path) -> None:
    """Draw the figures of texts beside those of documents into a PNG file.

    Raises MissingExtraError without matplotlib, OptionError or OSError where the file cannot be written.
    """
    check_plot(path)
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(5, 3, 3))
    for axes, kind, label, factor in zip(
        panels,
        ("share", "ratio", "words"),
        ("% of the texts", "distinct over all", "words"),
        (100, 1, 1),
        strict=True,
    ):
        _bars(axes, report, kind, factor)
        axes.set_ylabel(label)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    panels[0].legend()
    auc = "" if report.auc is None else f"AUC of a classifier {report.auc:.2f} (0.5: it cannot tell)"
    beside = f"{report.texts.measures.texts:,} texts beside {report.documents.measures.texts:,} documents"
    figure.suptitle("; ".join(part for part in (beside, auc) if part), fontsize="medium")
    with replacing(path) as beside_path:
        figure.savefig(beside_path, dpi=120, format="png")


def _bars(axes: Any, report: Report, kind: str, factor: float) -> None:
    measured = [(name, words) for name, words, what in MEASURES if what == kind]
    sides = {"texts": report.texts.to_json(), "documents": report.documents.to_json()}
    measured = [(name, words) for name, words in measured if sides["texts"][name] is not None]
    for number, (side, color) in enumerate(_SIDES):
        places = [place + (number - 0.5) * _WIDTH for place in range(len(measured))]
        heights = [factor * (sides[side][name] or 0.0) for name, _ in measured]
        axes.bar(places, heights, _WIDTH, color=color, label=side)
    labels = [words.replace("distinct ", "").replace(" ", "\n") for _, words in measured]
    axes.set_xticks(range(len(measured)), labels, fontsize="small")
