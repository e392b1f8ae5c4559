"""``genrun generate --explain``: how each word of a text was chosen, as a table, JSON or a page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from genrun.cli.io.prompt_source import PromptSource
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["write_explanations"]


def write_explanations(
    model: Model, source: PromptSource, settings: GenerationSettings, output: Path | None, *, as_json: bool
) -> None:
    """Explain the text of each prompt: JSON lines if ``as_json``, a page if ``output`` ends in .html, else tables."""
    from genrun.checks.printable import printable
    from genrun.cli.io.json_line import json_line
    from genrun.cli.io.line_writer import LineWriter
    from genrun.cli.io.replacing import replace_text
    from genrun.cli.io.unknown_words import noting_unknown

    made = noting_unknown(source, model.tokenizer, partial(model.explain, settings=settings))
    explanations = (explanation for _, explanation in made)
    if output is None:
        with LineWriter(seconds=0) as writer:
            for explanation in explanations:
                if as_json:
                    writer.write_json(explanation.to_json())
                else:
                    for line in explanation.table():
                        writer.write(line)
        return
    is_page = output.suffix.lower() in (".html", ".htm") and not as_json
    found = list(explanations)
    if is_page and len(found) != 1:
        raise click.UsageError(f"a page explains one text, not {len(found)}: give one prompt")
    if is_page:
        replace_text(output, found[0].page())
    elif as_json:
        replace_text(output, "".join(f"{json_line(each.to_json())}\n" for each in found))
    else:
        replace_text(output, "".join(f"{printable(line)}\n" for each in found for line in each.table()))
