"""From a corpus to a tokenizer and token ids on disk, in two streaming passes: count words, encode documents."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, GenrunError, PluginError, RunFolderError, one_line
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun_core.atomic import write_with
from genrun_core.terminal import shown

__all__ = ["CorpusCounts", "TokenShards", "count_words", "encode_documents", "first_document", "read_documents"]

_BUFFERED = 1 << 18  # ids held before they are written
_COUNTED = 1 << 14  # documents whose ids are counted at once


@dataclass(frozen=True, slots=True)
class CorpusCounts:
    """What the passes over a corpus counted.

    ``rows`` of the source, ``dropped`` of them by reason, ``documents`` left, ``duplicates`` of them exactly like an
    earlier one; ``words`` in all, ``distinct`` ones that the vocabulary is cut from, of which ``distinct_for_95``
    would cover 95% of all, ``unknown`` of all outside of it; ``predicted`` next-token predictions that training
    makes; ``median``, ``percentile_95`` and ``longest``: the length of documents in tokens; ``too_short`` documents
    with nothing to predict. ``fingerprint``: BLAKE2 of all documents in order; ``sources_fingerprint``: of the paths,
    sizes and times of the files, empty if the sources are no files. None stands for what an older genrun did not
    count.
    """

    files: int
    rows: int
    dropped: dict[str, int]
    documents: int
    fingerprint: str
    words: int
    unknown: int = 0
    predicted: int = 0
    longest: int = 0
    too_short: int = 0
    duplicates: int | None = None
    distinct: int | None = None
    distinct_for_95: int | None = None
    median: int | None = None
    percentile_95: int | None = None
    sources_fingerprint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any], path: Path) -> CorpusCounts:
        """Return the counts that :meth:`to_json` wrote to ``path``; raises RunFolderError if they are not."""
        try:
            return cls(**value)
        except TypeError as error:
            raise RunFolderError(f"{path}: {one_line(error)}") from error


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
            ids = np.memmap(folder / "ids.int32", np.dtype("<i4"), mode="r")
            offsets = np.fromfile(folder / "offsets.int64", np.dtype("<i8"))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{folder}: the token shards cannot be read: {error}") from error
        if len(offsets) < 2 or offsets[-1] != len(ids):
            raise RunFolderError(f"{folder}: the token shards are incomplete")
        return cls(ids, offsets)


def first_document(reader: Reader, sources: Sequence[str]) -> str | None:
    """Return the first document, to learn early whether the sources can be read at all."""
    return next(read_documents(reader, sources), None)


def count_words(
    reader: Reader, sources: Sequence[str], settings: TokenizerSettings
) -> tuple[Tokenizer, CorpusCounts]:
    """Read the corpus once: return the tokenizer made of its words, and the counts so far.

    Raises what the reader raises, PluginError for a reader that breaks its contract, and CorpusError if no word is
    left to learn.
    """
    report, digest, hashes = ReadReport(), hashlib.blake2b(digest_size=16), array("q")
    with VocabularyBuilder(settings) as builder:
        for document in shown(read_documents(reader, sources, report), "counting words"):
            builder.add(document)
            digest.update(document.encode() + b"\0")
            hashes.append(hash(document))
        if not builder.documents:
            raise CorpusError(f"{_named(sources)}: no document was found in {report.rows:,} rows")
        if not builder.words:
            raise CorpusError(
                f"{_named(sources)}: the tokenizer leaves no word of {builder.documents:,} documents; its "
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

    def write_ids(path: Path) -> None:
        nonlocal unknown
        buffer, written = array("i"), 0
        with path.open("wb") as file:
            documents = read_documents(reader, sources)
            for document in shown(documents, "encoding documents", counts.documents):
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

    write_with(folder / "ids.int32", write_ids)
    if digest.hexdigest() != counts.fingerprint:
        raise CorpusError(f"{_named(sources)}: the corpus changed while it was being read")
    little_endian = np.frombuffer(offsets, np.int64).astype("<i8", copy=False)
    write_with(folder / "offsets.int64", lambda path: little_endian.tofile(path))
    predicted = sum((length - 1) * count for length, count in lengths.items() if length)
    if not predicted:
        raise CorpusError(f"{_named(sources)}: no document has two tokens, so there is nothing to predict")
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


def read_documents(reader: Reader, sources: Sequence[str], report: ReadReport | None = None) -> Iterator[str]:
    """Yield the documents of a reader, held to its contract: what it breaks becomes an error that names it."""
    for number, document in enumerate(_guarded(reader, sources, report or ReadReport()), 1):
        if not isinstance(document, str):
            raise PluginError(f"reader {type(reader).__name__} must yield text, not {type(document).__name__}")
        try:
            document.encode()
        except UnicodeEncodeError as error:
            message = f"{_named(sources)}: document {number:,} holds half a character (a lone surrogate)"
            raise CorpusError(message) from error
        yield document


def _guarded(reader: Reader, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
    """Read on; what a reader raises against its contract becomes an error that names the reader."""
    try:
        yield from reader.read(sources, report)
    except GenrunError:
        raise
    except OSError as error:
        raise CorpusError(f"{error.filename or _named(sources)}: {error.strerror or one_line(error)}") from error
    except Exception as error:
        name = type(reader).__name__
        raise PluginError(f"reader {name} failed: {type(error).__name__}: {one_line(error)}") from error


def _little_endian(ids: array[int]) -> bytes:
    return np.frombuffer(ids, np.intc).astype("<i4").tobytes() if ids else b""


def _named(sources: Sequence[str]) -> str:
    return " ".join(sources)
