"""From a corpus to what training reads: the tokenizer, the token shards and the counts, kept in the run folder."""

from __future__ import annotations

from collections.abc import Callable

from genrun import registry
from genrun_core.corpus import CorpusCounts, count_words, encode_documents
from genrun_core.diagnosis import describe_corpus
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
    noun = getattr(registry.load(registry.find("reader", recipe.reader.name)), "noun", "documents")
    for line in describe_corpus(counts, run.tokenizer(), recipe, noun):
        say(line)
    return counts
