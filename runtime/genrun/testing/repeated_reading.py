"""Reads sources in another process, where hashes of texts, and so the order of sets, are others.

``python -m genrun.testing.repeated_reading`` gets the class of a reader, its options and sources as JSON, and
writes a digest.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from genrun.contracts import ReadReport, options
from genrun.testing.outcomes import Failed, Skipped

__all__ = ["digest_of", "read_elsewhere"]

_PATIENCE_SECONDS = 300.0
_NOT_FOUND = 3  # exit status: the reader's class cannot be imported there


def digest_of(documents: Iterable[str]) -> str:
    """Return a digest of documents and their order.

    >>> digest_of(["a", "b"]) == digest_of(["b", "a"]), digest_of(["ab"]) == digest_of(["a", "b"])
    (False, False)
    """
    digest = hashlib.blake2b()
    for document in documents:
        content = document.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def read_elsewhere(reader: Any, sources: Sequence[str]) -> str:
    """Return the digest of what ``reader`` yields in another process; Skipped if that cannot import its class."""
    named = {"module": type(reader).__module__, "name": type(reader).__qualname__}
    written = {**named, "options": options.to_json(reader), "sources": list(sources)}
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__],
        input=json.dumps(written).encode(),
        capture_output=True,
        env=environment,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode == _NOT_FOUND:
        raise Skipped("its class cannot be imported by another process")
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Failed(f"it fails in another process: {said[-1] if said else done.returncode}")
    return done.stdout.decode().strip().rpartition("\n")[2]


def _main() -> None:
    given = json.load(sys.stdin)
    try:
        found: Any = functools.reduce(getattr, given["name"].split("."), importlib.import_module(given["module"]))
    except (ImportError, AttributeError):
        sys.exit(_NOT_FOUND)
    reader = options.build(found, given["options"], what=given["name"], from_text=False)
    print(f"\n{digest_of(reader.read(given['sources'], ReadReport()))}")


if __name__ == "__main__":
    _main()
