"""An explanation as one HTML page without scripts and outside resources."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from genrun.checks.printable import printable

if TYPE_CHECKING:
    from genrun.generating.explaining.explanation import ExplainedWord, Explanation

__all__ = ["page_of"]

_HEIGHT, _BAR, _BETWEEN, _LEFT = 220, 26, 150, 130  # of a picture, in pixels
_LEAST = 11  # pixels of a part that has room for its name
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2330;
  background: #fff }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: 2.2rem 0 .4rem; font-weight: 400 }
h2 b { background: #ffe9a8; padding: 0 .25em; border-radius: 3px }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem }
td, th { padding: .1rem .7rem .1rem 0; text-align: right; font-weight: 400 } th { color: #5b6576 }
td:first-child, th:first-child { text-align: left } tr.chosen td { font-weight: 700 } .out { color: #a33 }
svg { max-width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #1c2330 }
summary { cursor: pointer; color: #5b6576; font-size: .87rem } p { margin: .3rem 0 }
"""


def page_of(explanation: Explanation) -> str:
    """Return the page; all texts of the model are escaped."""
    title = _shown(explanation.text) or "an empty text"
    facts = [f"seed {explanation.seed}", f"sample {explanation.sample}", f"chosen by {_shown(explanation.chooser)}"]
    if explanation.copied_run is not None:
        run = explanation.copied_run
        facts.append(f"longest copied run: {f'{run} words' if run else 'fewer words than are counted'}")
    if explanation.is_training_line:
        facts.append("a line of the training text")
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{title}</h1>\n<p>{', '.join(facts)}. Each bar is the distribution after a stage; grey is the rest.</p>",
        *(_section(word) for word in explanation.words),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _section(word: ExplainedWord) -> str:
    lines = [f"<h2>{_shown(word.before)} <b>{_shown(word.text)}</b></h2>", _picture(word)]
    head = "".join(f"<th>{_shown(stage.name)}</th>" for stage in word.stages)
    rows = [f"<tr><th>draw {word.draw:.4f}</th>{head}</tr>"]
    for candidate in word.candidates:
        cells = "".join(
            f"<td>{share:.2%}</td>" if share else '<td class="out">out</td>' for share in candidate.probabilities
        )
        mark = ' class="chosen"' if candidate.id == word.id else ""
        rows.append(f"<tr{mark}><td>{_shown(candidate.text)}</td>{cells}</tr>")
    kept = "".join(f"<td>{stage.kept:,}</td>" for stage in word.stages)
    removed = "".join(f"<td>{stage.removed:.2%}</td>" for stage in word.stages)
    rows += [f"<tr><th>candidates</th>{kept}</tr>", f"<tr><th>removed</th>{removed}</tr>"]
    table = "\n".join(rows)
    return "\n".join([*lines, f"<details open><summary>numbers</summary>\n<table>\n{table}\n</table></details>"])


def _picture(word: ExplainedWord) -> str:
    """Return a bar for each stage and bands between them, widest where the probability is."""
    stages = len(word.stages)
    width = _LEFT + stages * _BAR + (stages - 1) * _BETWEEN + _LEFT
    parts = [f'<svg viewBox="0 0 {width} {_HEIGHT + 22}" width="{width}" role="img">']
    tops = [_tops([candidate.probabilities[stage] for candidate in word.candidates]) for stage in range(stages)]
    for number, candidate in enumerate(word.candidates):
        colour = f"hsl({number * 47 % 360} 62% {48 if candidate.id == word.id else 66}%)"
        name = _shown(candidate.text)
        for stage in range(stages):
            x, (top, end) = _LEFT + stage * (_BAR + _BETWEEN), tops[stage][number]
            share = candidate.probabilities[stage]
            if stage + 1 < stages and share:
                (top_2, end_2), right = tops[stage + 1][number], x + _BAR + _BETWEEN
                points = f"{x + _BAR},{top:.1f} {right},{top_2:.1f} {right},{end_2:.1f} {x + _BAR},{end:.1f}"
                parts.append(f'<polygon points="{points}" fill="{colour}" opacity=".3"/>')
            if share:
                parts.append(
                    f'<rect x="{x}" y="{top:.1f}" width="{_BAR}" height="{end - top:.1f}" fill="{colour}">'
                    f"<title>{name}: {share:.2%}</title></rect>"
                )
            if end - top >= _LEAST and stage in (0, stages - 1):
                at, anchor = (x - 6, "end") if stage == 0 else (x + _BAR + 6, "start")
                parts.append(f'<text x="{at}" y="{(top + end) / 2 + 4:.1f}" text-anchor="{anchor}">{name}</text>')
    for stage, about in enumerate(word.stages):
        x, top = _LEFT + stage * (_BAR + _BETWEEN), tops[stage][-1][1] if word.candidates else 0.0
        if _HEIGHT - top > 0.05:
            parts.append(f'<rect x="{x}" y="{top:.1f}" width="{_BAR}" height="{_HEIGHT - top:.1f}" fill="#d5d9e0"/>')
        name = _shown(about.name if len(about.name) < 26 else about.name[:25] + "…")
        parts.append(f'<text x="{x + _BAR / 2}" y="{_HEIGHT + 16}" text-anchor="middle">{name}</text>')
    return "\n".join([*parts, "</svg>"])


def _tops(shares: Sequence[float]) -> list[tuple[float, float]]:
    """Return where the part of each share begins and ends in a bar."""
    found, at = [], 0.0
    for share in shares:
        found.append((at, at + share * _HEIGHT))
        at += share * _HEIGHT
    return found


def _shown(text: str) -> str:
    return escape(printable(text))
