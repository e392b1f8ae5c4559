"""What a file of a run folder says about its own content, so that damage is found before the content is used.

A JSON file holds the digest of its other values under ``digest``. An archive (the checkpoint, ``model.keras``) holds
the digest of all bytes before it as its comment, which readers of zip files pass over. Digests are BLAKE2, 16 bytes.
Files without a digest, as an older genrun wrote them, are accepted.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from genrun.errors import RunFolderError

__all__ = ["check_archive", "check_value", "digest_of_file", "digest_of_value", "seal", "with_digest"]

_KEY = "digest"
_MARK = b"genrun blake2b "
_END = b"PK\5\6"  # opens the last record of a zip file, of 22 bytes if there is no comment
_END_SIZE = 22
_DIGITS = 32
_COMMENT_SIZE = len(_MARK) + _DIGITS
_new = functools.partial(hashlib.blake2b, digest_size=_DIGITS // 2)


def digest_of_file(path: Path) -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _new).hexdigest()


def digest_of_value(value: object) -> str:
    """Return the digest of a JSON value, however it is laid out in a file.

    Raises ValueError for text that no encoding can hold.

    >>> digest_of_value({"a": 1, "b": (2, 3)}) == digest_of_value({"b": [2, 3], "a": 1})
    True
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _new(text.encode()).hexdigest()


def with_digest(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with its digest."""
    return {**value, _KEY: digest_of_value(value)}


def check_value(value: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return a JSON object, read from ``path``, without its digest; raises RunFolderError if they do not agree."""
    content = {name: part for name, part in value.items() if name != _KEY}
    if _KEY in value and value[_KEY] != digest_of_value(content):
        raise RunFolderError(f"{path} is damaged: it is not as genrun wrote it")
    return content


def seal(path: Path) -> None:
    """Add its digest to an archive."""
    with path.open("r+b") as file:
        file.seek(-_END_SIZE, os.SEEK_END)
        if file.read(4) != _END:
            raise ValueError(f"{path} is no zip file, or has a comment already")
        file.seek(-2, os.SEEK_END)
        file.write(_COMMENT_SIZE.to_bytes(2, "little"))
        file.seek(0)
        digest = hashlib.file_digest(file, _new).hexdigest()
        file.seek(0, os.SEEK_END)
        file.write(_MARK + digest.encode())


def check_archive(path: Path) -> bool:
    """Return whether an archive has a digest; raises RunFolderError if it has another content than that says."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _COMMENT_SIZE, 0))
        comment = file.read()
        if not comment.startswith(_MARK):
            return False
        file.seek(0)
        if _digest_of_first(file, size - _COMMENT_SIZE) != comment[len(_MARK) :].decode("ascii", "replace"):
            raise RunFolderError(f"{path} is damaged: it is not as genrun wrote it")
    return True


def _digest_of_first(file: IO[bytes], size: int) -> str:
    digest = _new()
    while size and (part := file.read(min(size, 1 << 20))):
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()
