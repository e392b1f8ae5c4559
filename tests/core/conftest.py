"""A small corpus, and run folders made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun_core.corpus import preparation
from genrun_core.corpus.passes import count_words
from support.preparations import Preparations


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("one two three\none two\n", "utf-8")
    return tmp_path / "texts"


@pytest.fixture
def prepare(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preparations:
    preparations = Preparations(tmp_path, texts, [])

    def counted(*arguments: object) -> object:
        preparations.readings.append(arguments)
        meanwhile, preparations.meanwhile = preparations.meanwhile, None
        if meanwhile:
            meanwhile()
        return count_words(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparation, "count_words", counted)
    return preparations
