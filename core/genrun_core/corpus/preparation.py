"""From a corpus to what training reads: the tokenizer, the token shards and the counts, kept in the run folder."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from genrun.contracts import Reader
from genrun.errors import OptionError, RunFolderError
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.building.extension import extended
from genrun_core.corpus.adaptation import adapt
from genrun_core.corpus.cache import corpus_key, keep, restore
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.kind import choose_kind, with_kind
from genrun_core.corpus.passes import Sources, WordCount, count_words, encode_documents
from genrun_core.corpus.reading import make_reader, read_documents
from genrun_core.corpus.report import describe_corpus
from genrun_core.corpus.sources import fingerprint, list_files
from genrun_core.corpus.splitting import SplitRule
from genrun_core.corpus.subwords import learn_nothing
from genrun_core.recipes.recipe import KIND, Recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards

__all__ = ["Corpus", "corpus_changed", "prepare_corpus"]

_REUSED = "the corpus is as it was read before: its tokens are reused (GENRUN_CACHE=off reads it again)"
_CHANGED = (
    "note: the corpus has changed since it was read; training goes on with what was read then "
    "(for the new text: genrun train, or --from …)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """The corpus of a run, read and encoded.

    ``recipe``: complete, also where it adapts to the corpus; ``base_tokenizer``: the one that ``tokenizer`` was taken
    from, None if the run makes its own; ``report``: lines that describe the corpus to the user.
    """

    recipe: Recipe
    counts: CorpusCounts
    tokenizer: Tokenizer
    base_tokenizer: Tokenizer | None
    shards: TokenShards
    report: tuple[str, ...]


def prepare_corpus(run: RunFolder, recipe: Recipe, reader: Reader | None = None) -> Corpus:
    """Return the corpus of a run, which is read into the run folder unless that is done already.

    ``reader``: the one of the recipe, made already. A recipe that adapts to its corpus is completed in ``run.toml``.
    """
    base, stored = run.base_tokenizer(), run.corpus()
    if stored is not None and run.tokenizer_file.exists() and run.tokens.is_dir():
        counts, tokenizer = CorpusCounts.from_json(stored, run.corpus_file), run.tokenizer()
        notes = [_CHANGED] if corpus_changed(run) else []
    else:
        reader, looked = reader or make_reader(recipe.reader), []
        if KIND in recipe.adapt:
            choice = choose_kind(read_documents(reader, run.sources))
            recipe, looked = with_kind(recipe, choice), [choice.reason] if choice.reason else []
            run.save_recipe(recipe)
        counts, tokenizer, notes = _read(run, recipe, reader, base)
        notes = [*looked, *notes]
    _check_labels(tokenizer, recipe)
    shards = run.shards(tokenizer)
    if len(shards) != counts.documents:
        raise RunFolderError(f"{run.corpus_file} is not of the {len(shards):,} documents in {run.tokens}")
    if recipe.adapt:
        recipe = adapt(recipe, counts, vocabulary=len(tokenizer))
        run.save_recipe(recipe)
    if reader is None and not recipe.reader.class_path:
        reader = make_reader(recipe.reader)
    noun = getattr(reader, "noun", None)
    noun = " ".join(noun.split()) if isinstance(noun, str) else "documents"
    described = describe_corpus(counts, tokenizer, recipe, noun, borrowed=base is not None)
    return Corpus(recipe, counts, tokenizer, base, shards, (*notes, *described))


def corpus_changed(run: RunFolder) -> bool | None:
    """Return whether the files of the corpus differ from those that were read.

    None if that cannot be known: the sources are no files, are gone, or were read by an older genrun.
    """
    then, now = (run.corpus() or {}).get("sources_fingerprint"), fingerprint(list_files(run.all_sources))
    return now != then if then and now else None


def _read(
    run: RunFolder, recipe: Recipe, reader: Reader, base: Tokenizer | None
) -> tuple[CorpusCounts, Tokenizer, list[str]]:
    """Read the corpus, or take its tokens from the cache; return notes for the user as well."""
    files, settings = list_files(run.all_sources), recipe.training
    rule = SplitRule(settings.validation, settings.split_seed, settings.running_text, bool(run.validation_sources))
    is_inside = any(Path(file.path).is_relative_to(run.path.absolute()) for file in files or ())  # standard input
    can_cache = base is None and not is_inside
    run.corpus_file.unlink(missing_ok=True)  # of tokens that are gone
    split = rule, len(list_files(run.validation_sources) or ())
    about = recipe.reader, reader, recipe.tokenizer, split, run.all_sources
    key = corpus_key(files, *about) if can_cache else None
    if key and (kept := restore(key, run)):
        return kept, run.tokenizer(), [_REUSED]
    sources = Sources(reader, run.sources, run.validation_sources)
    counted = _count(sources, recipe, rule, base)
    run.save_json(run.tokenizer_file, counted.tokenizer.to_json())
    counts = encode_documents(sources, counted, run.tokens)
    counts = dataclasses.replace(counts, sources_fingerprint=fingerprint(files))
    run.save_corpus(counts.to_json())
    try:
        if key and key == corpus_key(list_files(run.all_sources), *about):
            keep(key, run, counts)  # nothing has changed since the reading began
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or error
        return counts, counted.tokenizer, [f"note: the corpus is not kept for the next training: {where}{reason}"]
    return counts, counted.tokenizer, []


def _count(sources: Sources, recipe: Recipe, rule: SplitRule, base: Tokenizer | None) -> WordCount:
    """Return what the corpus counts, with the tokenizer of the run: of its own words, or another run's."""
    new_words = recipe.training.extend_vocabulary
    if base is None:
        return count_words(sources, recipe.tokenizer, rule)
    wanted = dataclasses.replace(recipe.tokenizer, label_minimum=1)
    if new_words:  # the most frequent new words are among this many of all
        wanted = dataclasses.replace(wanted, vocabulary_limit=len(base) + new_words, minimum_count=1)
    counted = count_words(sources, wanted, rule, learn_nothing)
    if counted.tokenizer.labels and not base.labels:
        raise OptionError("the documents have labels, and the model that this training begins with has none")
    return dataclasses.replace(counted, tokenizer=extended(base, counted.tokenizer, new_words))


def _check_labels(tokenizer: Tokenizer, recipe: Recipe) -> None:
    """Raise OptionError for labels that the model of a recipe would not see."""
    if tokenizer.labels and recipe.training.running_text:
        raise OptionError("labels are of separate documents: --set running_text=false, or leave the labels out")
    if tokenizer.labels and not recipe.model.plugin.trained:
        raise OptionError("labels need a network: an n-gram model sees only the last words (--recipe default)")
