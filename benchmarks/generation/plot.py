"""The comparisons as bars: how many times as fast as each peer, from 1 on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generation.settings import Comparison

__all__ = ["draw"]

# Okabe and Ito's colours, which are told apart with any kind of colour vision and in grey.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write the plot, as SVG or whatever the ending of ``path`` says."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullLocator

    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "genrun", "font.family": "sans-serif"}
    shown = [(comparison, comparison.ratio) for comparison in comparisons if comparison.peer and comparison.ratio]
    peers = list(dict.fromkeys(comparison.peer for comparison, _ in shown))
    figure = Figure(figsize=(7, 0.9 + 0.36 * len(shown)), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for place, (comparison, ratio) in enumerate(shown):
        colour = _COLOURS[peers.index(comparison.peer) % len(_COLOURS)]
        axes.barh(place, ratio - 1, left=1, height=0.7, color=colour)
        side = "left" if ratio >= 1 else "right"
        axes.annotate(f" {ratio:.3g}× ", (ratio, place), ha=side, va="center", fontsize=9, annotation_clip=False)
    axes.axvline(1, color="black", linewidth=1.2)
    axes.set_xscale("log")
    ratios = [ratio for _, ratio in shown]
    axes.set_xlim(min([0.5, *(ratio / 2 for ratio in ratios)]), max([2.0, *(ratio * 2.2 for ratio in ratios)]))
    axes.set_xticks([tick for tick in (0.5, 1, 2, 5, 10, 100, 1000) if tick <= axes.get_xlim()[1]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}×"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(shown)), [comparison.what for comparison, _ in shown])
    axes.invert_yaxis()
    axes.set_xlabel("tokens a second, compared with the peer (1×: as many)")
    for colour, peer in zip(_COLOURS, peers, strict=False):
        axes.barh([0], [0], color=colour, label=f"beside {peer}")
    figure.legend(loc="outside upper right", ncols=len(peers), fontsize=9, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
