"""From a corpus to a tokenizer and token ids on disk, in two streaming passes: count words, encode documents."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.building.extension import with_labels
from genrun.tokenizer.building.vocabulary import LearnMerges
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.labelling import LabelCounts, labels_of
from genrun_core.corpus.progress_bar import with_progress_bar
from genrun_core.corpus.reading import named, read_documents
from genrun_core.corpus.splitting import SplitRule
from genrun_core.corpus.subwords import learn_merges
from genrun_core.runs.atomic import replacing
from genrun_core.runs.token_shards import LABELS, SHARDS

__all__ = ["Sources", "WordCount", "count_words", "encode_documents"]

_BUFFERED = 1 << 18  # ids held before they are written


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a corpus is read: its sources, and those of documents that are given for validation."""

    reader: Reader
    corpus: Sequence[str]
    validation: Sequence[str] = ()

    def __str__(self) -> str:
        """Return the sources as they stand in a message."""
        return named([*self.corpus, *self.validation])

    def read(self, report: ReadReport | None = None) -> Iterator[tuple[str, bool]]:
        """Yield each document, and whether it is given for validation; those come last."""
        report = report or ReadReport()
        for given, sources in ((False, self.corpus), (True, self.validation)):
            for document in read_documents(self.reader, sources, report) if sources else ():
                yield document, given


@dataclass(frozen=True, slots=True, eq=False)
class WordCount:
    """What the first pass found: the tokenizer, the counts so far, and which documents are held out, int64."""

    tokenizer: Tokenizer
    counts: CorpusCounts
    held_out: NDArray[np.int64]


def count_words(
    sources: Sources,
    settings: TokenizerSettings,
    rule: SplitRule = SplitRule(),  # noqa: B008
    learn: LearnMerges = learn_merges,
) -> WordCount:
    """Read the corpus and make the tokenizer of the words of the documents that are not held out.

    ``learn``: what learns the merges of subwords.

    A corpus is read again where the hashes of its documents do not yet tell which are held out: the last ones of a
    running text, or one of very few. Raises what the reader raises, PluginError for a reader that breaks its
    contract, OptionError for a share that holds out nothing, and CorpusError if no word is left to learn.
    """
    found = _read_once(sources, settings, rule, learn)
    held_out = rule.held_out(found.hashes, found.given)
    if not np.array_equal(held_out, found.passed_over):
        found = _read_once(sources, settings, rule, learn, frozenset(held_out.tolist()))
    counts = found.counts
    if counts.words == counts.held_out_words:
        raise CorpusError(
            f"{sources}: the tokenizer leaves no word of {counts.documents:,} documents; its normalization "
            "removes everything"
        )
    trained_on = np.delete(found.hashes, held_out)
    both = int(np.isin(found.hashes[len(found.hashes) - found.given :], trained_on).sum())
    return WordCount(found.tokenizer, replace(counts, validated_and_trained_on=both), held_out)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What one reading of the corpus found.

    ``hashes``: int64, of all documents; ``given``: how many of them, the last ones, are given for validation;
    ``passed_over``: int64, the numbers of those that the tokenizer did not learn from.
    """

    tokenizer: Tokenizer
    counts: CorpusCounts
    hashes: NDArray[np.int64]
    given: int
    passed_over: NDArray[np.int64]


def _read_once(
    sources: Sources,
    settings: TokenizerSettings,
    rule: SplitRule,
    learn: LearnMerges,
    held_out: frozenset[int] | None = None,
) -> _Reading:
    """Read the corpus; the tokenizer passes over documents ``held_out``, or those that their hashes hold out."""
    report, digest = ReadReport(), hashlib.blake2b(digest_size=16)
    hashes, passed_over, given, of_lines, labels = array("q"), array("q"), 0, 0, LabelCounts()
    with VocabularyBuilder(settings, learn=learn) as builder:
        for number, (document, is_given) in enumerate(with_progress_bar(sources.read(report), "counting words")):
            hashes.append(rule.hash(document))
            given += is_given
            of_lines += "\n" in document.strip()
            by_hash = is_given or rule.is_held_out(hashes[-1])
            if by_hash if held_out is None else number in held_out:
                passed_over.append(number)
                builder.pass_over(document)
            else:
                builder.add(document)
                labels.add(document)
            digest.update(_identity(document))
        if not builder.documents:
            raise CorpusError(f"{sources}: no document was found in {report.rows:,} rows")
        tokenizer = builder.build()
        tokenizer = with_labels(tokenizer, labels.labels(settings.label_minimum, len(tokenizer)))
        distinct_for_95 = builder.words_for(95)
    numbers = np.array(hashes, np.int64)
    counts = CorpusCounts(
        files=report.files,
        rows=report.rows,
        dropped=dict(report.dropped),
        documents=builder.documents,
        fingerprint=digest.hexdigest(),
        words=builder.words + builder.passed_over,
        held_out_words=builder.passed_over,
        duplicates=len(numbers) - len(np.unique(numbers)),
        distinct=builder.distinct,
        distinct_for_95=distinct_for_95,
        line_breaks=of_lines,
        notes=list(report.notes),
        labels=list(labels.described(settings.label_minimum)),
    )
    return _Reading(tokenizer, counts, numbers, given, np.array(passed_over, np.int64))


def encode_documents(sources: Sources, counted: WordCount, folder: Path) -> CorpusCounts:
    """Read the corpus again and write its ids to ``folder``; return the completed counts.

    Raises CorpusError if the corpus is not the one that was counted.
    """
    folder.mkdir(exist_ok=True)
    tokenizer, counts = counted.tokenizer, counted.counts
    held_out = frozenset(counted.held_out.tolist())
    offsets, lengths, unknown, new = array("q", [0]), Counter[int](), 0, 0
    digest, predicted, labels = hashlib.blake2b(digest_size=16), 0, array("i")
    has_labels = bool(tokenizer.labels)
    buffer, written = array("i"), 0
    with replacing(folder / SHARDS[0]) as path, path.open("wb") as file:
        for number, (document, _) in enumerate(
            with_progress_bar(sources.read(), "encoding documents", counts.documents)
        ):
            digest.update(_identity(document))
            if has_labels:
                labels.extend(tokenizer.labels.ids_of_document(labels_of(document)))
            encoding = tokenizer.encode_document(document)
            ids = encoding.ids
            unknown += len(encoding.unknown)
            lengths[len(ids)] += 1
            if number in held_out:
                new += len(encoding.unknown)
            elif ids:
                predicted += len(ids) - 1
            buffer.extend(ids)
            offsets.append(written + len(buffer))
            if len(buffer) >= _BUFFERED:
                file.write(np.array(buffer, "<i4").tobytes())
                written += len(buffer)
                del buffer[:]
        file.write(np.array(buffer, "<i4").tobytes())
    if digest.hexdigest() != counts.fingerprint:
        raise CorpusError(f"{sources}: the corpus changed while it was being read")
    _write_beside(folder, np.frombuffer(offsets, np.int64), counted.held_out, labels if tokenizer.labels else None)
    if not lengths.keys() - {0, 1}:
        raise CorpusError(f"{sources}: no document has two tokens, so there is nothing to predict")
    return replace(
        counts,
        unknown=unknown,
        predicted=predicted,
        longest=max(lengths),
        too_short=lengths[0] + lengths[1],
        median=_percentile(lengths, 50),
        percentile_95=_percentile(lengths, 95),
        held_out=len(held_out),
        held_out_unknown=new,
    )


def _write_beside(
    folder: Path, offsets: NDArray[np.int64], held_out: NDArray[np.int64], labels: array[int] | None
) -> None:
    """Write what is known of the documents beside their ids; ``labels``: ids of labels, None for a corpus without."""
    for name, values in zip(SHARDS[1:], (offsets, held_out), strict=True):
        with replacing(folder / name) as path:
            values.astype("<i8", copy=False).tofile(path)
    (folder / LABELS).unlink(missing_ok=True)
    if labels is not None:
        with replacing(folder / LABELS) as path:
            path.write_bytes(np.array(labels, "<i4").tobytes())


def _identity(document: str) -> bytes:
    """Return the bytes of a document and its labels that a fingerprint of the corpus is made of."""
    labels = "".join([f"\0{name}={value}" for name, value in sorted(labels_of(document).items())])
    return f"{document}{labels}\0".encode()


def _percentile(lengths: Counter[int], percent: int) -> int:
    """Return the smallest length that ``percent`` of the documents do not exceed."""
    left = -(-lengths.total() * percent // 100)
    for length in sorted(lengths):
        left -= lengths[length]
        if left <= 0:
            break
    return length
