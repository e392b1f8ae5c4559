"""From a corpus to what training reads: the tokenizer, the token shards and the counts, kept in the run folder."""

from __future__ import annotations

from collections.abc import Callable

from genrun import registry
from genrun_core.corpus import CorpusCounts, count_words, encode_documents
from genrun_core.recipe import Recipe
from genrun_core.run_folder import RunFolder

__all__ = ["prepare_corpus"]


def prepare_corpus(run: RunFolder, recipe: Recipe, say: Callable[[str], object]) -> CorpusCounts:
    """Read the corpus into the run folder unless that is done already; say what was counted."""
    stored = run.corpus()
    if stored is not None and run.tokenizer_file.exists() and run.tokens.is_dir():
        counts = CorpusCounts.from_json(stored, run.corpus_file)
    else:
        reader = registry.make_reader(recipe.reader.name, recipe.reader.options)
        tokenizer, counted = count_words(reader, run.sources, recipe.tokenizer)
        run.save_json(run.tokenizer_file, tokenizer.to_json())
        counts = encode_documents(reader, run.sources, tokenizer, counted, run.tokens)
        run.save_json(run.corpus_file, counts.to_json())
    for line in _describe(run, recipe, counts):
        say(line)
    return counts


def _describe(run: RunFolder, recipe: Recipe, counts: CorpusCounts) -> list[str]:
    reader = registry.load(registry.find("reader", recipe.reader.name))
    noun = getattr(reader, "noun", "documents")
    units = "characters" if recipe.tokenizer.kind == "char" else "words"
    dropped = ", ".join(f"{number:,} {reason}" for reason, number in counts.dropped.items())
    lines = [
        f"{counts.rows:,} rows in {counts.files:,} files: {counts.documents:,} {noun}"
        + (f" (dropped: {dropped})" if dropped else ""),
        f"vocabulary {len(run.tokenizer()):,}, {counts.words:,} {units}, {counts.predicted:,} predictions an epoch, "
        f"longest {counts.longest:,} tokens",
    ]
    if counts.unknown:
        lines.append(f"{counts.unknown:,} {units} ({counts.unknown / counts.words:.1%}) are outside the vocabulary")
    if counts.too_short:
        lines.append(f"{counts.too_short:,} {noun} have fewer than two tokens and teach nothing")
    return lines
