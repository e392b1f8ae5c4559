"""Nothing hangs on the cache of corpora: damage, kills, full disks and company cost at most a reading."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genrun_core.corpus import cache as corpus_cache
from genrun_core.runs.atomic import write_bytes
from support.preparations import Preparations, content, entries

DAMAGES: dict[str, Callable[[Path], object]] = {
    "ids cut": lambda entry: (entry / "ids.int32").write_bytes((entry / "ids.int32").read_bytes()[:-4]),
    "ids changed": lambda entry: (entry / "ids.int32").write_bytes((entry / "ids.int32").read_bytes()[:-1] + b"\1"),
    "offsets gone": lambda entry: (entry / "offsets.int64").unlink(),
    "tokenizer": lambda entry: (entry / "tokenizer.json").write_text("{}", "utf-8"),
    "counts gone": lambda entry: (entry / "corpus.json").unlink(),
    "counts cut": lambda entry: (entry / "corpus.json").write_text("{", "utf-8"),
    "counts of another time": lambda entry: (entry / "corpus.json").write_text("{}", "utf-8"),
    "not an object": lambda entry: (entry / "corpus.json").write_text("[]", "utf-8"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_read_again_and_replaced(
    prepare: Preparations, cache: Path, damage: Callable[[Path], object]
) -> None:
    prepare()
    (entry,) = entries(cache)
    whole = {path.name: path.read_bytes() for path in entry.iterdir()}
    for path in entry.iterdir():  # copies, so that the damage does not reach the run folder
        write_bytes(path, whole[path.name])
    damage(entry)
    run, read = prepare()
    assert read is True
    assert content(run)["ids.int32"] == whole["ids.int32"]
    assert prepare()[1] is False


def test_a_write_that_breaks_off_leaves_no_entry(
    prepare: Preparations, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(corpus_cache, "write_json", fail)
        prepare()
    assert entries(cache) == []
    (note,) = (line for line in prepare.said if "not kept" in line)
    assert note.endswith("corpus.json: No space left on device")
    assert prepare()[1] is True


def test_a_kill_while_writing_leaves_no_entry_and_is_cleaned_up(
    prepare: Preparations, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare()
    (left,) = entries(cache)
    assert left.name.startswith(".")
    assert prepare()[1] is True
    assert left.exists()  # it could be another process at work
    old = time.time() - corpus_cache._LEFTOVER - 9
    os.utime(left, (old, old))
    prepare(minimum_count="2")
    assert left not in entries(cache)


def test_two_that_read_at_once_leave_one_good_entry(prepare: Preparations, texts: Path, cache: Path) -> None:
    other = Preparations(prepare.folder / "other", texts, prepare.readings)
    prepare.meanwhile = other  # a second training, begun and ended while this one counts words
    assert prepare()[1] is True
    assert not [line for line in prepare.said if "not kept" in line]
    assert len(entries(cache)) == 1
    assert prepare()[1] is False


@pytest.mark.parametrize(("name", "reason"), [("file", "Not a directory"), ("x" * 300, "File name too long")])
def test_a_cache_that_cannot_be_used_is_one_line(
    prepare: Preparations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    monkeypatch.setenv("GENRUN_CACHE", str(tmp_path / name))
    assert prepare()[1] is True
    (note,) = (line for line in prepare.said if "kept" in line)
    assert note.startswith(f"note: the corpus is not kept for the next training: {tmp_path / name}")
    assert note.endswith(f": {reason}")
