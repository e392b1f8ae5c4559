"""What is said about a corpus before training: figures that can be counted by hand, and notes on what is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun import registry
from genrun.tokenizer import TokenizerSettings, VocabularyBuilder
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.passes import Sources, _percentile, count_words, encode_documents
from genrun_core.corpus.report import describe_corpus
from genrun_core.corpus.splitting import SplitRule
from genrun_core.recipes.recipe import load_recipe


def lines_of(folder: Path, text: str, **settings: str) -> tuple[CorpusCounts, list[str]]:
    """Read a corpus as a training would; its notes begin with the fourth line."""
    (folder / "corpus.txt").write_text(text, "utf-8")
    plain = {"kind": "word", "specials": "pad,unk", "vocabulary_limit": "0", "validation": "0", "patience": "0"}
    recipe = load_recipe("characters", {**plain, **settings})
    sources = Sources(registry.make_reader("text"), [str(folder / "corpus.txt")])
    share = SplitRule(recipe.training.validation)
    counted = count_words(sources, recipe.tokenizer, share)
    counts = encode_documents(sources, counted, folder / "tokens")
    return counts, list(describe_corpus(counts, counted.tokenizer, recipe, "documents"))


def test_a_small_corpus_is_described_in_three_lines(tmp_path: Path) -> None:
    counts, lines = lines_of(tmp_path, "a b c\na b\n\na b c d e f\n")
    assert lines == [
        "4 rows in 1 file: 3 documents (dropped: 1 empty)",
        "vocabulary 8: all 6 distinct words",
        "11 words, 8 predictions an epoch; tokens in a document: median 3, 95% up to 6, longest 6",
    ]
    assert (counts.duplicates, counts.distinct, counts.median, counts.percentile_95) == (0, 6, 3, 6)


def test_duplicates_are_counted_and_noted_where_they_are_many(tmp_path: Path) -> None:
    text = "a b\na b c\na b\na b\nb a\n"
    counts, lines = lines_of(tmp_path, text)
    assert counts.duplicates == 2
    assert lines[0] == "5 rows in 1 file: 5 documents, 2 of them duplicates"
    assert lines[3:] == ["note: 40.0% of the documents are duplicates: the model will repeat them"]
    _, lines = lines_of(tmp_path, "a b\n" * 2 + "".join(f"{i} {i + 1}\n" for i in range(198)))
    assert lines[0].endswith("200 documents, 1 of them duplicates")
    assert not lines[3:]


def test_a_limit_says_what_it_cuts_from_and_what_would_be_enough(tmp_path: Path) -> None:
    text = "a a a a a a a a a b b b b b b c c c d e\n"
    _, lines = lines_of(tmp_path, text, vocabulary_limit="3")
    assert lines[1] == "vocabulary 4: 2 of 5 distinct words cover 75.0% of all; the others become <unk>"
    assert lines[3] == "note: 5 words (25.0%) are unknown; vocabulary_limit=5 would cover 95%"
    assert len(lines) == 4
    _, lines = lines_of(tmp_path, text, vocabulary_limit="5")
    assert lines[1] == "vocabulary 6: 4 of 5 distinct words cover 95.0% of all; the others become <unk>"
    assert not lines[3:]
    _, lines = lines_of(tmp_path, text, vocabulary_limit="6")
    assert lines[1] == "vocabulary 7: all 5 distinct words"
    _, lines = lines_of(tmp_path, text, vocabulary_limit="7")
    assert lines[1] == "vocabulary 7: all 5 distinct words (the limit of 7 was not reached)"


def test_rare_words_that_are_left_out_are_said(tmp_path: Path) -> None:
    text = "a a b b c d\n"
    _, lines = lines_of(tmp_path, text, minimum_count="2", vocabulary_limit="10", specials="pad")
    assert lines[1] == (
        "vocabulary 3: 2 of 4 distinct words cover 66.7% of all; the others are left out "
        "(the limit of 10 was not reached)"
    )
    assert lines[3] == "note: 2 words (33.3%) are unknown; minimum_count=2 leaves out rare ones"


def test_characters_are_called_so(tmp_path: Path) -> None:
    _, lines = lines_of(tmp_path, "aab\n", kind="char")
    assert lines[1:] == [
        "vocabulary 4: all 2 distinct characters",
        "3 characters, 2 predictions an epoch; tokens in a document: median 3, 95% up to 3, longest 3",
    ]


def test_documents_that_teach_nothing_are_noted(tmp_path: Path) -> None:
    _, lines = lines_of(tmp_path, "a b\na\n")
    assert lines[3:] == ["note: 1 documents have fewer than two tokens and teach nothing"]


def test_counts_of_an_older_run_folder_are_described_without_the_newer_figures(tmp_path: Path) -> None:
    counts, _ = lines_of(tmp_path, "a b\nc d\n")
    newer = {"duplicates", "distinct", "distinct_for_95", "median", "percentile_95"}
    older = {name: value for name, value in counts.to_json().items() if name not in newer}
    read = CorpusCounts.from_json(older, tmp_path)
    recipe = load_recipe("racetrack", {"vocabulary_limit": "3"})
    sources = Sources(registry.make_reader("text"), [str(tmp_path / "corpus.txt")])
    assert list(describe_corpus(read, count_words(sources, recipe.tokenizer).tokenizer, recipe, "documents"))[1:] == [
        "vocabulary 4: 3 words cover 100.0% of all",
        "4 words, 2 predictions an epoch; longest document 2 tokens",
    ]
    with pytest.raises(genrun.RunFolderError, match="unexpected keyword argument 'later'"):
        CorpusCounts.from_json({**older, "later": 1}, tmp_path)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_the_smallest_length_that_so_many_documents_do_not_exceed(
    lengths: list[int], percent: int
) -> None:
    expected = np.percentile(lengths, percent, method="inverted_cdf")
    assert _percentile(Counter(lengths), percent) == expected


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=80), st.integers(1, 100))
def test_the_words_that_cover_a_share_are_the_fewest(words: list[str], percent: int) -> None:
    builder = VocabularyBuilder(TokenizerSettings(specials=("pad",)))
    builder.add(" ".join(words))
    builder.build()
    counts = sorted(Counter(words).values(), reverse=True)
    enough = [n for n in range(len(counts) + 1) if sum(counts[:n]) * 100 >= percent * len(words)]
    assert builder.words_for(percent) == enough[0]
