"""From a corpus to a tokenizer and token ids on disk, in two streaming passes: count words, encode documents."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.progress_bar import with_progress_bar
from genrun_core.corpus.reading import named, read_documents
from genrun_core.runs.atomic import replacing
from genrun_core.runs.token_shards import SHARDS

__all__ = ["count_words", "encode_documents"]

_BUFFERED = 1 << 18  # ids held before they are written


def count_words(
    reader: Reader, sources: Sequence[str], settings: TokenizerSettings
) -> tuple[Tokenizer, CorpusCounts]:
    """Read the corpus once: return the tokenizer made of its words, and the counts so far.

    Raises what the reader raises, PluginError for a reader that breaks its contract, and CorpusError if no word is
    left to learn.
    """
    report, digest, hashes = ReadReport(), hashlib.blake2b(digest_size=16), array("q")
    with VocabularyBuilder(settings) as builder:
        for document in with_progress_bar(read_documents(reader, sources, report), "counting words"):
            builder.add(document)
            digest.update(document.encode() + b"\0")
            hashes.append(hash(document))
        if not builder.documents:
            raise CorpusError(f"{named(sources)}: no document was found in {report.rows:,} rows")
        if not builder.words:
            raise CorpusError(
                f"{named(sources)}: the tokenizer leaves no word of {builder.documents:,} documents; its "
                "normalization removes everything"
            )
        tokenizer = builder.build()
    return tokenizer, CorpusCounts(
        files=report.files,
        rows=report.rows,
        dropped=dict(report.dropped),
        documents=builder.documents,
        fingerprint=digest.hexdigest(),
        words=builder.words,
        duplicates=_count_duplicates(hashes),
        distinct=builder.distinct,
        distinct_for_95=builder.words_for(95),
    )


def encode_documents(
    reader: Reader,
    sources: Sequence[str],
    tokenizer: Tokenizer,
    counts: CorpusCounts,
    folder: Path,
) -> CorpusCounts:
    """Read the corpus again and write its ids to ``folder``; return the completed counts.

    Raises CorpusError if the corpus is not the one that was counted.
    """
    folder.mkdir(exist_ok=True)
    offsets, lengths, unknown = array("q", [0]), Counter[int](), 0
    digest = hashlib.blake2b(digest_size=16)

    buffer, written = array("i"), 0
    with replacing(folder / SHARDS[0]) as path, path.open("wb") as file:
        for document in with_progress_bar(read_documents(reader, sources), "encoding documents", counts.documents):
            digest.update(document.encode() + b"\0")
            encoding = tokenizer.encode_document(document)
            unknown += len(encoding.unknown)
            lengths[len(encoding.ids)] += 1
            buffer.extend(encoding.ids)
            offsets.append(written + len(buffer))
            if len(buffer) >= _BUFFERED:
                file.write(_little_endian(buffer))
                written += len(buffer)
                del buffer[:]
        file.write(_little_endian(buffer))
    if digest.hexdigest() != counts.fingerprint:
        raise CorpusError(f"{named(sources)}: the corpus changed while it was being read")
    little_endian = np.frombuffer(offsets, np.int64).astype("<i8", copy=False)
    with replacing(folder / SHARDS[1]) as path:
        little_endian.tofile(path)
    predicted = sum((length - 1) * count for length, count in lengths.items() if length)
    if not predicted:
        raise CorpusError(f"{named(sources)}: no document has two tokens, so there is nothing to predict")
    return replace(
        counts,
        unknown=unknown,
        predicted=predicted,
        longest=max(lengths),
        too_short=lengths[0] + lengths[1],
        median=_percentile(lengths, 50),
        percentile_95=_percentile(lengths, 95),
    )


def _count_duplicates(hashes: array[int]) -> int:
    """Return how many of the documents with these hashes, 64 bits each, repeat an earlier one; sorts in place."""
    ordered = np.frombuffer(hashes, np.int64)
    ordered.sort()
    return int((ordered[1:] == ordered[:-1]).sum())


def _percentile(lengths: Counter[int], percent: int) -> int:
    """Return the smallest length that ``percent`` of the documents do not exceed."""
    left = -(-lengths.total() * percent // 100)
    for length in sorted(lengths):
        left -= lengths[length]
        if left <= 0:
            break
    return length


def _little_endian(ids: array[int]) -> bytes:
    return np.frombuffer(ids, np.intc).astype("<i4").tobytes() if ids else b""
