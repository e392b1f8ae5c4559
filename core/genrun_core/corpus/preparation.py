"""From a corpus to what training reads: the tokenizer, the token shards and the counts, kept in the run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from genrun import registry
from genrun.contracts import Reader
from genrun.errors import RunFolderError
from genrun.tokenizer import Tokenizer
from genrun_core.corpus.adaptation import adapt
from genrun_core.corpus.cache import corpus_key, keep, restore
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.report import describe_corpus
from genrun_core.corpus.shards import count_words, encode_documents
from genrun_core.corpus.sources import fingerprint, list_files
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.run_folder import RunFolder

__all__ = ["corpus_changed", "prepare_corpus"]

_REUSED = "the corpus is as it was read before: its tokens are reused (GENRUN_CACHE=off reads it again)"
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
        if len(run.shards()) != counts.documents:
            raise RunFolderError(f"{run.corpus_file} is not of the {len(run.shards()):,} documents in {run.tokens}")
        if corpus_changed(run):
            say(_CHANGED)
    else:
        counts = _read(run, recipe)
    if recipe.adapt:
        run.save_recipe(adapt(recipe, counts, vocabulary=len(run.tokenizer())))
    for note in run.notes:
        say(note)
    noun = getattr(registry.load(registry.find("reader", recipe.reader.name)), "noun", "documents")
    noun = " ".join(noun.split()) if isinstance(noun, str) else "documents"
    for line in describe_corpus(counts, run.tokenizer(), recipe, noun, borrowed=run.base_tokenizer() is not None):
        say(line)
    return counts


def corpus_changed(run: RunFolder) -> bool | None:
    """Say whether the files of the corpus differ from those that were read.

    None if that cannot be known: the sources are no files, are gone, or were read by an older genrun.
    """
    then, now = (run.corpus() or {}).get("sources_fingerprint"), fingerprint(list_files(run.sources))
    return now != then if then and now else None


def _read(run: RunFolder, recipe: Recipe) -> CorpusCounts:
    reader = registry.make_reader(recipe.reader.name, recipe.reader.options)
    files, base = list_files(run.sources), run.base_tokenizer()

    def key() -> str | None:
        own = any(Path(file.path).is_relative_to(run.path.absolute()) for file in files or ())  # standard input
        known = base is None and not own
        return corpus_key(run.sources, recipe.reader.name, reader, recipe.tokenizer) if known else None

    run.corpus_file.unlink(missing_ok=True)  # of tokens that are gone
    before = key()
    if before and (kept := restore(before, run)):
        run.notes.append(_REUSED)
        return kept
    tokenizer, counted = _count(run, recipe, reader, base)
    run.save_json(run.tokenizer_file, tokenizer.to_json())
    counts = encode_documents(reader, run.sources, tokenizer, counted, run.tokens)
    counts = dataclasses.replace(counts, sources_fingerprint=fingerprint(files))
    run.save_corpus(counts)
    try:
        if before and before == key():  # nothing has changed since the reading began
            keep(before, run, counts)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        run.notes.append(f"note: the corpus is not kept for the next training: {where}{error.strerror or error}")
    return counts


def _count(run: RunFolder, recipe: Recipe, reader: Reader, base: Tokenizer | None) -> tuple[Tokenizer, CorpusCounts]:
    """Return the tokenizer of the run, made of its corpus or of another run's, and what was counted."""
    new_words = recipe.training.extend_vocabulary
    if base is None:
        return count_words(reader, run.sources, recipe.tokenizer)
    wanted = recipe.tokenizer
    if new_words:  # the most frequent new words are among so many of all
        wanted = dataclasses.replace(wanted, vocabulary_limit=len(base) + new_words, minimum_count=1)
    tokenizer, counted = count_words(reader, run.sources, wanted)
    return base.extended(tokenizer, new_words), counted
