"""Counting in bounded memory gives what counting in any amount of it gives, and leaves no file behind."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.building.counting import HELD, WordCounts

LOWERCASE = ({"step": "lowercase"},)
SETS = ({"step": "isolate", "characters": "."}, {"step": "remove", "characters": "-\u0307"})

texts = st.lists(
    st.sampled_from(
        ["the", "The", "THE", "tHe", "ferry", "Ferry", "is", "I.s", "İs", "Σας", "<unk>", "<UNK>", "é", "-"]
    ),
    max_size=6,
).map(" ".join)


def build(documents: list[str], settings: TokenizerSettings, held: int = HELD) -> tuple[Tokenizer, int]:
    with VocabularyBuilder(settings, held=held) as builder:
        for document in documents:
            builder.add(document)
        return builder.build(), builder.distinct


@given(
    st.lists(texts, max_size=25),
    st.sampled_from([0, 4, 5, 8]),
    st.integers(1, 3),
    st.integers(0, 4),
    st.sampled_from(["word", "char"]),
    st.sampled_from([(), LOWERCASE, (*SETS, *LOWERCASE), (*LOWERCASE, *SETS)]),
)
def test_a_tokenizer_is_the_same_however_few_words_are_held(
    documents: list[str], limit: int, least: int, held: int, kind: str, steps: tuple[dict[str, str], ...]
) -> None:
    settings = TokenizerSettings(kind=kind, normalization=steps, vocabulary_limit=limit, minimum_count=least)
    spilled, distinct = build(documents, settings, held=held)
    whole, expected = build(documents, settings)
    assert spilled.to_json() == whole.to_json()
    assert distinct == expected


def placed(documents: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield the words of all documents, and whether each is the first of its document, marks aside."""
    for document in documents:
        words = document.split()
        first = next((at for at, word in enumerate(words) if any(map(str.isalnum, word))), None)
        for at, word in enumerate(words):
            yield word, at == first


@given(st.lists(texts, max_size=25), st.integers(0, 6), st.integers(1, 3), st.integers(0, 4))
def test_the_vocabulary_is_that_of_a_plain_count(documents: list[str], limit: int, least: int, held: int) -> None:
    settings = TokenizerSettings(
        specials=("pad",), normalization=LOWERCASE, vocabulary_limit=limit, minimum_count=least
    )
    tokenizer, distinct = build(documents, settings, held=held)
    words = [word for document in documents for word in document.lower().split()]
    counts = Counter(words)
    expected = [word for word, count in counts.most_common() if count >= least]  # ties by first appearance
    assert list(tokenizer.vocabulary) == ["<pad>", *expected[: limit or None]]
    assert distinct == len(counts)
    for word, form in zip(tokenizer.vocabulary[1:], tokenizer.written.forms[1:], strict=True):
        written = [(form, begins) for form, begins in placed(documents) if form.lower() == word]
        within = [form for form, begins in written if not begins]
        forms = Counter(within or [form for form, _ in written])
        others = [(form, count) for form, count in forms.most_common() if form != word]
        usual = others[0][0] if others and others[0][1] > forms[word] else word
        token = tokenizer.vocabulary.index(word)
        assert tokenizer.written.write(token, word) == usual, (form, forms)


def test_more_files_than_are_merged_at_once_change_nothing() -> None:
    documents = [f"common {i % 7} rare{i} Rare{i // 2} {i % 50}" for i in range(100)]
    settings = TokenizerSettings(normalization=LOWERCASE, vocabulary_limit=40)
    assert build(documents, settings, held=0)[0].to_json() == build(documents, settings)[0].to_json()


def test_words_of_any_characters_survive_the_files() -> None:
    odd = ["a\nb", "\0", '"', "\\", "\u2028", "가", "\U0001f600", "\ud800", "[1,2]"]
    with WordCounts(held=0) as counts:
        for word in odd:
            counts.add([word, word])
        merged = sorted(counts.merged())
    assert [(entry.word, entry.falling) for entry in merged] == [(word, -2) for word in odd]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_no_file_is_left_behind_when_something_fails(temporary: Path) -> None:
    def fail() -> None:
        with VocabularyBuilder(TokenizerSettings(), held=1) as builder:
            builder.add("one two three")
            assert len(builder._counts._files) == 1
            raise KeyError("reader")

    with pytest.raises(KeyError):
        fail()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_names_the_temporary_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(mode: str, *, encoding: str, prefix: str) -> IO[str]:
        return open("/dev/full", mode.removesuffix("+"), encoding=encoding)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with VocabularyBuilder(TokenizerSettings(), held=1) as builder:
        with pytest.raises(OSError, match="No space left on device") as caught:
            builder.add("one two three")
        assert caught.value.filename == str(temporary)


def test_memory_does_not_grow_with_the_number_of_different_words() -> None:
    def peak(different: int) -> int:
        tracemalloc.start()
        build([], TokenizerSettings())  # what is allocated once
        with VocabularyBuilder(TokenizerSettings(vocabulary_limit=100), held=200) as builder:
            tracemalloc.reset_peak()
            for first in range(0, different, 50):
                builder.add(" ".join(f"word{number} the" for number in range(first, first + 50)))
            assert len(builder.build()) == 101
            assert builder.distinct == different + 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    many_files = peak(6_000)  # as many as are merged at once
    assert peak(20_000) < 1.5 * many_files
