"""Subwords are learnt the same from the same words, and encoded as the library that learns them encodes."""

from __future__ import annotations

import lzma
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.subwords.byte_letters import bytes_of, letters_of
from genrun_core.corpus import subwords
from genrun_core.corpus.subwords import learn_merges
from genrun_core.recipes.counting import choose_order
from genrun_core.recipes.recipe import load_recipe
from support.languages import CORPORA, sentences

texts = st.text(st.one_of(st.sampled_from(" \n’今天我们the an"), st.characters(codec="utf-8")))


def built(documents: Iterable[str], limit: int = 2_000) -> Tokenizer:
    chosen = TokenizerSettings("bpe", specials=("pad", "start", "end"), vocabulary_limit=limit)
    with VocabularyBuilder(chosen, learn=learn_merges) as builder:
        for document in documents:
            builder.add(document)
        return builder.build()


class Library:
    """The library's own encoder, with the vocabulary and merges of one of our tokenizers."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        ids = {text: token for token, text in enumerate(tokenizer.vocabulary)}
        self._model = tokenizers.models.BPE(vocab=ids, merges=list(tokenizer.merges))

    def encode(self, pieces: Iterable[str]) -> tuple[int, ...]:
        return tuple(token.id for piece in pieces for token in self._model.tokenize(letters_of(piece.encode())))


@pytest.fixture(scope="module")
def learnt() -> Tokenizer:
    return built([line for language in CORPORA for line in sentences(language)])


@given(texts)
@settings(deadline=None)
def test_the_ids_are_those_of_the_library(learnt: Tokenizer, text: str) -> None:
    encoding = learnt.encode(text)
    assert encoding.ids == Library(learnt).encode(encoding.pieces)
    assert learnt.decode(encoding.ids) == text


@given(st.text(st.sampled_from("abcde"), min_size=1, max_size=400), st.lists(st.text(st.sampled_from("abcde"))))
@settings(deadline=None, max_examples=50)
def test_long_words_have_the_ids_of_the_library_too(word: str, others: list[str]) -> None:
    tokenizer = built([word, word, *others], 300)
    assert tokenizer.encode_pieces([word]).ids == Library(tokenizer).encode([word])


def lines_of(folder: Path) -> Iterator[str]:
    """Yield every line of every file; those of another encoding than UTF-8 as Korean."""
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("euc-kr")
        yield from text.split("\n")


def test_lines_of_the_large_corpora_come_back_with_the_ids_of_the_library(shared_data: Path) -> None:
    # Every eighth line; benchmarks/subwords.py takes all of them.
    lines = list(dict.fromkeys(lines_of(shared_data)))[::8]
    tokenizer = built(random.Random(0).sample(lines, 5_000), 8_000)
    pieces: dict[str, None] = {}
    for first in range(0, len(lines), 1_000):  # as documents of many lines, which takes less time
        document = "\n".join(lines[first : first + 1_000])
        encoding = tokenizer.encode(document)
        assert tokenizer.decode(encoding.ids) == document
        pieces.update(dict.fromkeys(encoding.pieces))
    for line in lines[:: len(lines) // 2_000]:
        assert tokenizer.decode(tokenizer.encode(line).ids) == line
    library = Library(tokenizer)
    for piece in pieces:
        assert tokenizer.encode_pieces([piece]).ids == library.encode([piece])


@given(st.permutations([(" the", 9), (" then", 5), (" a", 7), (" hen", 7), (" aha", 3)]))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_words_does_not_matter(counts: list[tuple[str, int]]) -> None:
    assert learn_merges(counts, 20) == learn_merges(sorted(counts), 20)


def test_another_process_learns_the_same() -> None:
    program = (
        "from genrun_core.corpus.subwords import learn_merges; from collections import Counter;"
        "from support.languages import sentences;"
        "print(learn_merges(Counter(' '.join(sentences('german')).split()).items(), 500))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {f"{learn_merges(Counter(' '.join(sentences('german')).split()).items(), 500)}\n"}


def test_rare_neighbours_are_not_merged() -> None:
    counts = [(" ab", 4), (" cd", 1)]
    assert learn_merges(counts, 9) == [("a", "b"), ("Ġ", "ab")]
    assert learn_merges(counts, 9, minimum_count=5) == []
    assert learn_merges(counts, 1) == [("a", "b")]


def test_a_large_corpus_is_learnt_from_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [(f" w{number}", 1) for number in range(1_000)] + [(" the", 1_000)]
    length = sum(len(word) * count for word, count in counts)
    monkeypatch.setattr(subwords, "SAMPLE", length // 10)
    scaled = dict(subwords._scaled(counts, 10))
    assert scaled[" the"] == 100
    assert 50 < len(scaled) < 200
    assert set(learn_merges(counts, 3, length=length)) == {("Ġ", "w"), ("h", "e"), ("t", "he")}


def test_very_long_words_are_learnt_from_in_parts() -> None:
    assert learn_merges([("ab" * 100_000, 1)], 2) == [("a", "b"), ("ab", "ab")]


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    learn_merges([("ab", 2)], 1)
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
    monkeypatch.delenv("TOKENIZERS_PARALLELISM")
    learn_merges([("ab", 2)], 1)
    assert "TOKENIZERS_PARALLELISM" not in os.environ


def test_chinese_is_learnt_as_words_of_several_characters() -> None:
    tokenizer = built(sentences("chinese"), 450)
    found = {tokenizer.decode([token]) for token in range(259, len(tokenizer))}
    assert {"图书馆", "公园里", "火车站", "学习中文", "打篮球", "星期"} <= found


@pytest.mark.parametrize("language", CORPORA)
def test_no_subword_mixes_parts_of_characters(language: str) -> None:
    tokenizer = built(sentences(language), 450)
    for token in range(259, len(tokenizer)):
        data = bytes_of(tokenizer.vocabulary[token])
        assert len(data) < 4 or data.decode(), data


def test_of_many_rare_characters_the_frequent_ones_become_subwords() -> None:
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 400)))
    learnt = learn_merges([("今天", 1_000), ("the", 500_000), (rare, 1), (rare[:50], 1)], 60)
    made = [bytes_of(left + right).decode(errors="replace") for left, right in learnt]
    assert {"今", "天", "the"} <= set(made)
    assert not set(rare) - {"今"} & set(made)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"recipe": "default", "kind": "bpe"},
            "the normalization step 'mark_edges' is for words; .*--recipe subwords",
        ),
        (
            {"recipe": "subwords", "extend_vocabulary": "5"},
            "subwords need no new words: extend_vocabulary is for words",
        ),
        ({"recipe": "subwords", "vocabulary_limit": "100"}, "vocabulary_limit 100 is too low for subwords"),
    ],
)
def test_a_recipe_says_what_subwords_cannot_have(settings: dict[str, str], message: str) -> None:
    recipe = settings.pop("recipe")
    with pytest.raises(OptionError, match=message):
        load_recipe(recipe, settings)


def test_lower_case_subwords_cannot_have_the_casing_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "lower.toml"
    path.write_text('[tokenizer]\nkind = "bpe"\nnormalization = [{step = "lowercase"}]\n', "utf-8")
    assert load_recipe(str(path)).tokenizer.kind == "bpe"
    with pytest.raises(OptionError, match="casing=corpus restores the case of words; subwords keep it"):
        load_recipe(str(path), {"casing": "corpus"})


def test_subwords_are_counted_in_longer_sequences_than_words() -> None:
    assert choose_order("bpe", 5_000) == choose_order("word", 5_000) + 1
