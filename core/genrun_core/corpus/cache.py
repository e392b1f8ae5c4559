"""The tokens of corpora that were read before, found by all that they depend on, so that none is read in vain.

An entry is a folder ``corpora/KEY`` of the cache, put in its place by one rename. It holds what a run folder holds:
the shards, ``tokenizer.json``, and ``corpus.json`` with the counts and the digests of the others. Run folders share
the shards with it by hard links, and do not need it once they are made.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import genrun
from genrun import registry
from genrun.contracts import Reader, options
from genrun.errors import GenrunError
from genrun.reading.sources import split_source
from genrun.tokenizer import TokenizerSettings
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.sources import SourceFile, list_files
from genrun_core.corpus.splitting import SplitRule
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.atomic import replacing, write_json
from genrun_core.runs.digests import digest_of_file, digest_of_value
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import LABELS, SHARDS

__all__ = ["LIMIT", "cache_folder", "corpus_key", "keep", "restore"]

LIMIT = 2 << 30  # bytes that the entries may have together; the least recently used ones go first
_FORMAT = 4
_LEFTOVER = 24 * 60 * 60  # seconds after which what a kill left half-made is removed
_READING = ("genrun.reading.sources", "genrun.reading", __name__)  # modules of ours that decide what is read
_NAMES = (*SHARDS, "tokenizer.json")


def cache_folder() -> Path | None:
    """Return where corpora are kept: GENRUN_CACHE, or the user's folder for caches; None if it is "off"."""
    chosen, caches = os.environ.get("GENRUN_CACHE", ""), os.environ.get("XDG_CACHE_HOME", "")
    if chosen.lower() == "off":
        return None
    try:
        base = Path(chosen) if chosen else Path(caches or "~/.cache", "genrun")
        return base.expanduser() / "corpora"
    except RuntimeError:  # there is no home
        return None


def corpus_key(
    files: Sequence[SourceFile] | None,
    choice: PluginChoice,
    reader: Reader,
    settings: TokenizerSettings,
    split: tuple[SplitRule, int],
    sources: Sequence[str] = (),
) -> str | None:
    """Return the key of a corpus: BLAKE2 of its files, of the reader, its ``choice`` and options, and the settings.

    ``split``: how documents are held out, and how many of the files, the last ones, are given for validation.
    ``sources``: as they were named; those with a reader of their own count with it.

    The code of reader and tokenizer counts by size, times and inode of its files, so that a changed one is not
    mistaken for what it was. None if nothing shall be kept: the cache is off, a source is no file, the reader is an
    object of the caller, or says so itself.
    """
    if cache_folder() is None or files is None or choice.class_path:
        return None
    mixed = [part for part in map(split_source, sources) if part]
    of_parts = [(part.reader, registry.make_reader(part.reader, part.options)) for part in mixed]
    readers = [(choice.name, reader), *of_parts]
    if not all(getattr(one, "cached", True) for _, one in readers):
        return None
    if any(registry.find("reader", name).in_process for name, _ in readers):  # the code of a notebook is in no file
        return None
    parts = [
        _FORMAT,
        genrun.__version__,
        files,
        [_about(name, one) for name, one in readers],
        [[part.weight, part.path] for part in mixed],
        options.to_json(settings),
        [options.to_json(split[0]), split[1]],
        [_code(module) for module in (TokenizerSettings.__module__, *_READING)],
    ]
    return digest_of_value(parts)


def _about(name: str, reader: Reader) -> list[Any]:
    """Return what the documents of a reader depend on: its version, options and code, and files that these name."""
    info, chosen = registry.find("reader", name), options.to_json(reader)
    named = [value for value in chosen.values() if isinstance(value, str) and os.path.isfile(value)]  # stop words, …
    code = _code(type(reader).__module__)
    return [info.qualified_name, info.version, info.value, chosen, list_files(named), code]


def restore(key: str, run: RunFolder) -> CorpusCounts | None:
    """Put what is kept under ``key`` into ``run`` and return the counts; None if there is no good entry."""
    folder = cache_folder()
    if folder is None or not os.path.isdir(folder / key):
        return None
    entry = folder / key
    try:
        counts = _verified(entry)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, GenrunError):
        _remove(entry)
        return None
    try:
        run.tokens.mkdir(exist_ok=True)
        (run.tokens / LABELS).unlink(missing_ok=True)
        of_labels = {LABELS: run.tokens / LABELS} if (entry / LABELS).exists() else {}
        for name, path in {**_parts(run), **of_labels}.items():
            with replacing(path) as beside:
                _share(entry / name, beside)
        run.save_corpus(counts.to_json())
    except OSError:  # taken away meanwhile, or no room: reading the corpus will tell
        return None
    with contextlib.suppress(OSError):
        os.utime(entry / "corpus.json")  # used now
    return counts


def keep(key: str, run: RunFolder, counts: CorpusCounts) -> None:
    """Keep what ``run`` has read, unless it alone is beyond LIMIT; OSError if the cache cannot be written."""
    folder, parts = cache_folder(), _parts(run)
    if folder is None or sum(path.stat().st_size for path in parts.values()) > LIMIT:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        for name, path in parts.items():
            _share(path, beside / name)
        digests = {name: digest_of_file(beside / name) for name in parts}
        write_json(beside / "corpus.json", {"counts": counts.to_json(), "digests": digests})
        beside.rename(folder / key)
    except OSError:
        if not os.path.isdir(folder / key):  # otherwise another training was faster, and its entry stays
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    _prune(folder)


def _parts(run: RunFolder) -> dict[str, Path]:
    parts = dict(zip(_NAMES, (*(run.tokens / name for name in SHARDS), run.tokenizer_file), strict=True))
    labels = run.tokens / LABELS
    return {**parts, LABELS: labels} if labels.exists() else parts


def _verified(entry: Path) -> CorpusCounts:
    """Return the counts of an entry; raises one of many errors if it is not exactly what was kept."""
    about: dict[str, Any] = json.loads((entry / "corpus.json").read_text("utf-8"))
    for name in (*_NAMES, *([LABELS] if LABELS in about["digests"] else [])):
        if os.path.islink(entry / name):  # a run folder would share the link
            raise ValueError(name)
        if digest_of_file(entry / name) != about["digests"][name]:
            raise ValueError(name)
    return CorpusCounts.from_json(about["counts"], entry / "corpus.json")


def _share(path: Path, other: Path) -> None:
    """Make ``other`` the same file; a copy where that is impossible, and of what a person may edit."""
    if path.suffix != ".json":
        with contextlib.suppress(OSError, NotImplementedError):
            os.link(path, other)
            return
    shutil.copyfile(path, other)


def _prune(folder: Path) -> None:
    """Remove the entries that were least recently used until LIMIT holds, and what kills left half-made."""
    used: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # taken away meanwhile
            if path.name.startswith("."):
                if path.stat().st_mtime < time.time() - _LEFTOVER:
                    shutil.rmtree(path, ignore_errors=True)
            elif (path / "corpus.json").exists():
                size = sum(file.stat().st_size for file in path.iterdir())
                used.append(((path / "corpus.json").stat().st_mtime, size, path))
    total = 0
    for _, size, path in sorted(used, reverse=True):
        total += size
        if total > LIMIT:
            _remove(path)


def _remove(entry: Path) -> None:
    """Remove an entry, at once for all who look for it."""
    with contextlib.suppress(OSError):
        gone = Path(tempfile.mkdtemp(prefix=".", dir=entry.parent))
        with contextlib.suppress(OSError):
            entry.rename(gone / entry.name)
        shutil.rmtree(gone, ignore_errors=True)


def _code(module: str) -> list[tuple[str, int, list[int]]]:
    """Return name, size, times and inode of the source files that stand beside a module, itself included."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        return []
    try:
        with os.scandir(os.path.dirname(file)) as found:
            sources = [(entry.name, os.stat(entry.path)) for entry in found if entry.name.endswith(".py")]
    except OSError:  # it comes out of an archive, or is gone
        return []
    identities = (
        (name, about.st_size, [about.st_mtime_ns, about.st_ctime_ns, about.st_ino]) for name, about in sources
    )
    return sorted(identities)
