"""What a model writes where a document ends: a text that ends there, or a line break before the next document."""

from __future__ import annotations

from genrun.tokenizer import Tokenizer
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.run_folder import RunFolder

__all__ = ["exported_tokenizer"]

_WRITTEN = {"stop": "", "line": "\n", "paragraph": "\n\n"}


def exported_tokenizer(run: RunFolder, recipe: Recipe) -> Tokenizer:
    """Return the tokenizer of a run with the text of ``<end>``, which is empty if ``<end>`` ends a text.

    By default, a model of running text writes a line break there, or a blank line if its documents have line breaks
    of their own.
    """
    tokenizer, chosen = run.tokenizer(), recipe.generation.end_token
    if chosen == "auto":
        goes_on = recipe.training.running_text and tokenizer.special("end") is not None
        chosen = "stop" if not goes_on else "paragraph" if _has_lines(run, tokenizer) else "line"
    return tokenizer.with_end_text(_WRITTEN[chosen])


def _has_lines(run: RunFolder, tokenizer: Tokenizer) -> bool:
    stored = run.corpus()
    counts = None if stored is None else CorpusCounts.from_json(stored, run.corpus_file)
    return bool(counts and counts.line_breaks) and tokenizer.keeps_line_breaks
