"""The figures of the reference systems, on the corpora that they were published for."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun import registry
from genrun.tokenizer import Tokenizer
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.passes import Sources, count_words, encode_documents
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.token_shards import TokenShards


def prepare(recipe_name: str, source: Path, folder: Path) -> tuple[Tokenizer, CorpusCounts, TokenShards]:
    recipe = load_recipe(recipe_name)
    sources = Sources(registry.make_reader(recipe.reader.name, recipe.reader.options), [str(source)])
    counted = count_words(sources, recipe.tokenizer)
    counts = encode_documents(sources, counted, folder)
    return counted.tokenizer, counts, TokenShards.open(folder)


def test_r1_headlines(shared_data: Path, tmp_path: Path) -> None:
    tokenizer, counts, _ = prepare("nyt-headlines", shared_data / "nyt", tmp_path / "tokens")
    assert (counts.rows, counts.documents, counts.dropped) == (9_335, 8_603, {"unknown": 732})
    assert (len(tokenizer), tokenizer.vocabulary.index("a"), tokenizer.vocabulary.index("plan")) == (11_753, 2, 82)
    assert (counts.longest, counts.predicted) == (28, 53_305)


def test_r2_racetrack(samples: Path, tmp_path: Path) -> None:
    tokenizer, counts, shards = prepare("racetrack", samples / "racetrack.txt", tmp_path / "tokens")
    words = "말이 경마장에 있는 뛰고 있다 그의 법이다 가는 고와야 오는 곱다"
    assert list(tokenizer.vocabulary) == ["<pad>", *words.split()]
    assert (len(tokenizer), counts.longest, counts.predicted) == (12, 6, 11)
    pairs = [shards[i][: n + 1].tolist() for i in range(3) for n in range(1, len(shards[i]))]
    assert len(pairs) == 11
    assert pairs[:4] == [[2, 3], [2, 3, 1], [2, 3, 1, 4], [2, 3, 1, 4, 5]]


def test_r3_april_2018(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "nyt" / "ArticlesApril2018.csv"
    tokenizer, counts, shards = prepare("april-2018", source, tmp_path / "tokens")
    assert (counts.rows, counts.documents, len(tokenizer)) == (1_324, 1_214, 3_494)
    assert (counts.longest, counts.predicted) == (24, 7_803)
    first = shards[0].tolist()
    assert [first[: n + 1] for n in range(1, 5)] == [
        [99, 269],
        [99, 269, 371],
        [99, 269, 371, 1115],
        [99, 269, 371, 1115, 582],
    ]
    assert first[1:4] == [269, 371, 1115]
    assert tokenizer.vocabulary[582] == "offer"


def test_r4_lyricist(shared_data: Path, tmp_path: Path) -> None:
    tokenizer, counts, shards = prepare("lyricist", shared_data / "songs" / "*.txt", tmp_path / "tokens")
    assert counts.rows == 59_589
    assert set(counts.dropped) == {"empty", "section heading"}
    assert len(tokenizer) == 7_001
    assert counts.unknown > 0
    assert shards[0][0] == tokenizer.special("start")
    assert shards[0][-1] == tokenizer.special("end")


@pytest.mark.parametrize("name", ["운수좋은날.txt", "홍염.txt"])
def test_korean_stories_are_read_word_by_word(shared_data: Path, tmp_path: Path, name: str) -> None:
    tokenizer, counts, shards = prepare("racetrack", shared_data / "korean" / name, tmp_path / "tokens")
    assert counts.unknown == 0
    assert counts.words == len(shards.ids)
    assert all(word == word.strip() for word in tokenizer.vocabulary)
