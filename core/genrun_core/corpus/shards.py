"""From a corpus to a tokenizer and token ids on disk, in two streaming passes: count words, encode documents."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, RunFolderError
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.vocabulary import LearnMerges
from genrun_core.cli.terminal import shown
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.reading import named, read_documents
from genrun_core.corpus.subwords import learn_merges
from genrun_core.runs.atomic import replacing
from genrun_core.runs.digests import digest_of_file
from genrun_core.runs.run_files import require_file

__all__ = ["SHARDS", "CorpusCounts", "TokenShards", "count_words", "encode_documents"]

SHARDS = ("ids.int32", "offsets.int64")

_BUFFERED = 1 << 18  # ids held before they are written
_COUNTED = 1 << 14  # documents whose ids are counted at once


class TokenShards:
    """The encoded documents: ids int32 ``[tokens]`` one after another, offsets int64 ``[documents + 1]``.

    The ids are memory-mapped, so that a corpus costs disk, not memory; an offset costs eight bytes a document.
    """

    def __init__(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> None:
        self.ids = ids
        self.offsets = offsets

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.offsets) - 1

    def __getitem__(self, document: int) -> NDArray[np.int32]:
        """Return the ids of one document."""
        return self.ids[self.offsets[document] : self.offsets[document + 1]]

    def frequencies(self, vocabulary: int, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each token id occurs in ``documents``, int64 ``[vocabulary]``, reading some at a time."""
        counted = np.zeros(len(self), bool)
        counted[documents] = True
        lengths, found = np.diff(self.offsets), np.zeros(vocabulary, np.int64)
        for first in range(0, len(self), _COUNTED):
            these = slice(first, first + _COUNTED)
            ids = self.ids[self.offsets[first] : self.offsets[min(first + _COUNTED, len(self))]]
            found += np.bincount(ids[np.repeat(counted[these], lengths[these])], minlength=vocabulary)
        return found

    @classmethod
    def open(cls, folder: Path) -> TokenShards:
        """Map the shards in ``folder``; raises RunFolderError if they are missing or do not fit together."""
        try:
            for name in SHARDS:
                require_file(folder / name)
            ids = np.memmap(folder / SHARDS[0], np.dtype("<i4"), mode="r")
            offsets = np.fromfile(folder / SHARDS[1], np.dtype("<i8"))
        except OSError as error:
            where = error.filename or folder
            raise RunFolderError(f"{where}: the token shards cannot be read: {error.strerror}") from error
        except ValueError as error:  # empty, or no whole number of ids
            raise RunFolderError(f"{folder}: the token shards are incomplete") from error
        if len(offsets) < 2 or offsets[0] or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
            raise RunFolderError(f"{folder}: the token shards are incomplete")
        return cls(ids, offsets)

    def check(self, folder: Path, vocabulary: int, digests: Mapping[str, str]) -> None:
        """Raise RunFolderError unless the files in ``folder`` have their ``digests`` and all ids a word.

        ``digests``: by the name of the file; one that is missing, as in a run of an older genrun, is not compared.
        """
        remedy = f"delete {folder}, and a resume reads the corpus again"
        for name in SHARDS:
            if name in digests and digest_of_file(folder / name) != digests[name]:
                raise RunFolderError(f"{folder / name} is damaged: its tokens are not those that were read; {remedy}")
        lowest, highest = int(self.ids.min()), int(self.ids.max())
        if lowest < 0 or highest >= vocabulary:
            outside = lowest if lowest < 0 else highest
            raise RunFolderError(
                f"{folder / SHARDS[0]} is damaged: token id {outside} is outside the vocabulary of {vocabulary:,}; "
                f"{remedy}"
            )


def count_words(
    reader: Reader, sources: Sequence[str], settings: TokenizerSettings, learn: LearnMerges = learn_merges
) -> tuple[Tokenizer, CorpusCounts]:
    """Read the corpus once: return the tokenizer made of its words, and the counts so far; ``learn`` for subwords.

    Raises what the reader raises, PluginError for a reader that breaks its contract, and CorpusError if no word is
    left to learn.
    """
    report, digest, hashes = ReadReport(), hashlib.blake2b(digest_size=16), array("q")
    with VocabularyBuilder(settings, learn=learn) as builder:
        for document in shown(read_documents(reader, sources, report), "counting words"):
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
        for document in shown(read_documents(reader, sources), "encoding documents", counts.documents):
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
