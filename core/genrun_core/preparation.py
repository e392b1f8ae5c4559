"""From a corpus to what training reads: the tokenizer, the token shards and the counts, kept in the run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from genrun import registry
from genrun_core.adaptation import adapt
from genrun_core.corpus import CorpusCounts, count_words, encode_documents
from genrun_core.diagnosis import describe_corpus
from genrun_core.recipe import Recipe
from genrun_core.run_folder import RunFolder
from genrun_core.sources import fingerprint, list_files

__all__ = ["corpus_changed", "prepare_corpus"]

_CHANGED = (
    "note: the corpus has changed since it was read; training goes on with what was read then "
    "(for the new text: genrun train, or --from …)"
)


def prepare_corpus(run: RunFolder, recipe: Recipe, say: Callable[[str], object]) -> CorpusCounts:
    """Read the corpus into the run folder unless that is done already; say what was counted.

    A recipe that adapts to its corpus is completed, in ``run.toml``.
    """
    stored = run.corpus()
    if stored is not None and run.tokenizer_file.exists() and run.tokens.is_dir():
        counts = CorpusCounts.from_json(stored, run.corpus_file)
        if corpus_changed(run):
            say(_CHANGED)
    else:
        counts = _read(run, recipe)
    if recipe.adapt:
        run.save_recipe(adapt(recipe, predictions=counts.predicted, vocabulary=len(run.tokenizer())))
    noun = getattr(registry.load(registry.find("reader", recipe.reader.name)), "noun", "documents")
    for line in describe_corpus(counts, run.tokenizer(), recipe, noun):
        say(line)
    return counts


def corpus_changed(run: RunFolder) -> bool | None:
    """Say whether the files of the corpus differ from those that were read.

    None if that cannot be known: the sources are no files, are gone, or were read by an older genrun.
    """
    then, now = (run.corpus() or {}).get("sources_fingerprint"), fingerprint(list_files(run.sources))
    return now != then if then and now else None


def _read(run: RunFolder, recipe: Recipe) -> CorpusCounts:
    before = fingerprint(list_files(run.sources))
    reader = registry.make_reader(recipe.reader.name, recipe.reader.options)
    base, new_words = run.base_tokenizer(), recipe.training.extend_vocabulary
    wanted = recipe.tokenizer
    if base is not None and new_words:  # the most frequent new words are among so many of all
        wanted = dataclasses.replace(wanted, vocabulary_limit=len(base) + new_words, minimum_count=1)
    tokenizer, counted = count_words(reader, run.sources, wanted)
    if base is not None:
        tokenizer = base.extended(tokenizer, new_words)
    run.save_json(run.tokenizer_file, tokenizer.to_json())
    counts = encode_documents(reader, run.sources, tokenizer, counted, run.tokens)
    counts = dataclasses.replace(counts, sources_fingerprint=before)
    run.save_json(run.corpus_file, counts.to_json())
    return counts
