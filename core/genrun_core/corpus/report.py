"""What a corpus looks like before anything is learnt from it: lines for the user who starts a training."""

from __future__ import annotations

from collections.abc import Iterator

from genrun.tokenizer import Tokenizer
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.labelling import numbered
from genrun_core.recipes.recipe import Recipe

__all__ = ["describe_corpus"]

_MANY_DUPLICATES = 0.01  # of the documents
_MANY_UNKNOWN = 0.05  # of the words
_ALL_DIFFERENT = 0.8  # of the words
_SOME = 200  # words, fewer of which are often all different


def describe_corpus(
    counts: CorpusCounts, tokenizer: Tokenizer, recipe: Recipe, noun: str, *, borrowed: bool = False
) -> Iterator[str]:
    """Yield what reading a corpus of ``noun`` ("documents") counted, and notes on what may disappoint later.

    ``borrowed``: the vocabulary is another run's, so that it was not cut from this corpus.
    """
    units = "characters" if tokenizer.kind == "char" else "words"
    dropped = ", ".join(f"{number:,} {reason}" for reason, number in counts.dropped.items())
    yield (
        f"{numbered(counts.rows, 'row')} in {numbered(counts.files, 'file')}: {counts.documents:,} {noun}"
        + (f", {counts.duplicates:,} of them duplicates" if counts.duplicates else "")
        + (f" (dropped: {dropped})" if dropped else "")
    )
    if counts.rows != counts.documents + sum(counts.dropped.values()):
        yield f"note: the reader counted {counts.rows:,} rows, which is not what it yielded and dropped together"
    yield from (f"note: {note}" for note in counts.notes)
    yield _borrowed(counts, tokenizer, units) if borrowed else _vocabulary(counts, tokenizer, recipe, units)
    yield f"{counts.words:,} {units}, {counts.predicted:,} predictions an epoch; {_lengths(counts)}"
    yield from counts.labels
    if counts.held_out:
        new = counts.held_out_unknown / max(counts.held_out_words, 1)
        some = f"{counts.held_out:,} {noun} are" if counts.held_out > 1 else f"1 of the {noun} is"
        yield f"{some} held out to measure with; {new:.1%} of their {units} are unknown"
    if counts.validated_and_trained_on:
        both = f"{counts.validated_and_trained_on:,} {noun} given for validation are also trained on"
        yield f"note: {both}: on new text the perplexity is higher than measured"
    if counts.learnt_unknown > _MANY_UNKNOWN * counts.learnt_words:
        share = counts.learnt_unknown / counts.learnt_words
        remedy = "; extend_vocabulary adds new words" if borrowed else _remedy(counts, tokenizer, recipe)
        yield f"note: {counts.learnt_unknown:,} {units} ({share:.1%}) are unknown{remedy}"
    if tokenizer.kind == "word" and not borrowed and _are_different(counts):
        how = f"{counts.distinct:,} different ones of {counts.learnt_words:,}"
        yield (
            f"note: nearly every word occurs only once ({how}): for text without spaces "
            "there is --recipe subwords, for names --recipe characters"
        )
    if (counts.duplicates or 0) > _MANY_DUPLICATES * counts.documents:
        share = (counts.duplicates or 0) / counts.documents
        yield f"note: {share:.1%} of the {noun} are duplicates: the model will repeat them"
    if counts.line_breaks and not tokenizer.keeps_line_breaks:
        remedy = "" if borrowed or tokenizer.kind != "word" else "; --set line_breaks=true keeps them"
        yield f"note: {counts.line_breaks:,} {noun} have line breaks, which the tokenizer drops{remedy}"
    if counts.too_short:
        yield f"note: {counts.too_short:,} {noun} have fewer than two tokens and teach nothing"


def _vocabulary(counts: CorpusCounts, tokenizer: Tokenizer, recipe: Recipe, units: str) -> str:
    limit, kept = (
        recipe.tokenizer.vocabulary_limit,
        len(tokenizer) - len(tokenizer.specials) - len(tokenizer.labels.tokens),
    )
    if tokenizer.kind == "bpe":
        of = f" of {counts.distinct:,} distinct words" if counts.distinct is not None else ""
        return f"vocabulary {len(tokenizer):,}: subwords{of}; no word is unknown"
    beside_pad = kept + len(tokenizer.specials) - ("pad" in tokenizer.specials)
    line = f"vocabulary {len(tokenizer):,}"
    if kept == counts.distinct:
        line += f": all {kept:,} distinct {units}"
    else:
        of = f"of {counts.distinct:,} distinct {units}" if counts.distinct is not None else units
        line += f": {kept:,} {of} cover {counts.known_share:.1%} of all"
    if counts.unknown:
        others = f"; other {units}" if kept == counts.distinct else "; the others"
        line += f"{others} become <unk>" if "unk" in tokenizer.specials else f"{others} are left out"
    if beside_pad < limit:
        line += f" (the limit of {limit:,} was not reached)"
    return line


def _borrowed(counts: CorpusCounts, tokenizer: Tokenizer, units: str) -> str:
    if tokenizer.kind == "bpe":
        return f"vocabulary {len(tokenizer):,}, another run's: subwords; no word is unknown"
    known = counts.known_share
    rest = "become <unk>" if "unk" in tokenizer.specials else "are left out"
    return f"vocabulary {len(tokenizer):,}, another run's: {known:.1%} of all {units} are known" + (
        f"; the others {rest}" if counts.unknown else ""
    )


def _are_different(counts: CorpusCounts) -> bool:
    return counts.learnt_words >= _SOME and (counts.distinct or 0) > _ALL_DIFFERENT * counts.learnt_words


def _lengths(counts: CorpusCounts) -> str:
    if counts.median is None:
        return f"longest document {counts.longest:,} tokens"
    usual = f"median {counts.median:,}, 95% up to {counts.percentile_95:,}"
    return f"tokens in a document: {usual}, longest {counts.longest:,}"


def _remedy(counts: CorpusCounts, tokenizer: Tokenizer, recipe: Recipe) -> str:
    """Return what to set so that fewer words are unknown."""
    settings, specials = recipe.tokenizer, len(tokenizer.specials)
    if settings.minimum_count > 1:
        return f"; minimum_count={settings.minimum_count:,} leaves out rare ones"
    if settings.vocabulary_limit and counts.distinct_for_95 is not None:
        enough = counts.distinct_for_95 + specials - ("pad" in tokenizer.specials)
        return f"; vocabulary_limit={enough} would cover 95%"
    return ""
