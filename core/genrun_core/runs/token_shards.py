"""The encoded documents of a corpus on disk: token ids, where each document ends, and which ones are held out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrun.errors import RunFolderError
from genrun.tokenizer.labels import Labels
from genrun_core.runs.digests import digest_of_file
from genrun_core.runs.run_files import require_file

__all__ = ["LABELS", "SHARDS", "TokenShards"]

SHARDS = ("ids.int32", "offsets.int64", "held_out.int64")
LABELS = "labels.int32"  # only where documents have labels

_COUNTED = 1 << 14  # documents whose ids are counted at once


class TokenShards:
    """The encoded documents: ids int32 ``[tokens]`` one after another, offsets int64 ``[documents + 1]``.

    ``held_out``: the numbers of the documents that are not trained on, int64, in order; none if left out. The ids are
    memory-mapped, so that a corpus costs disk, not memory; an offset costs eight bytes a document.
    ``labels``: int32 ``[documents, names]``, tokens that stand before each document; ``no_labels``: int32
    ``[names]``, those of a document without labels.
    """

    def __init__(
        self,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        held_out: NDArray[np.int64] | None = None,
        labels: NDArray[np.int32] | None = None,
        no_labels: tuple[int, ...] = (),
    ) -> None:
        self.ids = ids
        self.offsets = offsets
        self.held_out = np.arange(0) if held_out is None else held_out
        self.labels = np.zeros((len(self), 0), np.int32) if labels is None else labels
        self.no_labels = np.array(no_labels, np.int32)

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.offsets) - 1

    def __getitem__(self, document: int) -> NDArray[np.int32]:
        """Return the ids of one document."""
        return self.ids[self.offsets[document] : self.offsets[document + 1]]

    def after_labels(self, document: int) -> tuple[int, ...]:
        """Return the ids of one document after those of its labels."""
        return (*self.labels[document].tolist(), *self[document].tolist())

    @property
    def trained_on(self) -> NDArray[np.int64]:
        """The numbers of the documents that are not held out, int64, in order."""
        return np.setdiff1d(np.arange(len(self)), self.held_out, assume_unique=True)

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
    def open(cls, folder: Path, labels: Labels | None = None) -> TokenShards:
        """Map the shards in ``folder``; raises RunFolderError if they are missing or do not fit together.

        ``labels``: those of the tokenizer.
        """
        try:
            for name in SHARDS:
                require_file(folder / name)
            ids = np.memmap(folder / SHARDS[0], np.dtype("<i4"), mode="r")
            offsets, held_out = (np.fromfile(folder / name, np.dtype("<i8")) for name in SHARDS[1:])
        except OSError as error:
            where = error.filename or folder
            raise RunFolderError(f"{where}: the token shards cannot be read: {error.strerror}") from error
        except ValueError as error:  # empty, or no whole number of ids
            raise RunFolderError(f"{folder}: the token shards are incomplete") from error
        if len(offsets) < 2 or offsets[0] or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
            raise RunFolderError(f"{folder}: the token shards are incomplete")
        if len(held_out) and (held_out[0] < 0 or held_out[-1] >= len(offsets) - 1 or (np.diff(held_out) <= 0).any()):
            raise RunFolderError(f"{folder / SHARDS[2]} names documents that the token shards do not have")
        if not labels:
            return cls(ids, offsets, held_out)
        return cls(ids, offsets, held_out, _labels(folder / LABELS, len(offsets) - 1, labels), labels.ids())

    def check(self, folder: Path, vocabulary: int, digests: Mapping[str, str]) -> None:
        """Raise RunFolderError unless the files in ``folder`` have their ``digests`` and all ids a word.

        ``digests``: by the name of the file; one that is missing, as in a run of an older genrun, is not compared.
        """
        remedy = f"delete {folder}, and a resume reads the corpus again"
        for name in (*SHARDS, *([LABELS] if len(self.no_labels) else [])):
            if name in digests and digest_of_file(folder / name) != digests[name]:
                raise RunFolderError(f"{folder / name} is damaged: its tokens are not those that were read; {remedy}")
        lowest, highest = int(self.ids.min()), int(self.ids.max())
        if lowest < 0 or highest >= vocabulary:
            outside = lowest if lowest < 0 else highest
            raise RunFolderError(
                f"{folder / SHARDS[0]} is damaged: token id {outside} is outside the vocabulary of {vocabulary:,}; "
                f"{remedy}"
            )


def _labels(path: Path, documents: int, labels: Labels) -> NDArray[np.int32]:
    """Return the tokens of the labels of all documents, int32 ``[documents, names]``."""
    try:
        require_file(path)
        tokens = np.fromfile(path, np.dtype("<i4"))
    except OSError as error:
        raise RunFolderError(f"{path}: the labels cannot be read: {error.strerror}") from error
    if len(tokens) != documents * len(labels) or (len(tokens) and not np.isin(tokens, labels.tokens).all()):
        raise RunFolderError(f"{path}: the labels are not those of {documents:,} documents")
    return tokens.reshape(documents, len(labels))
