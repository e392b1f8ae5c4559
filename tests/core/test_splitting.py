"""Which documents are held out, and that a model has learnt nothing from them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun import registry
from genrun.tokenizer import TokenizerSettings
from genrun_core.corpus.passes import Sources, WordCount, count_words, encode_documents
from genrun_core.corpus.splitting import SplitRule
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.train import train


def hashes(rule: SplitRule, documents: list[str]) -> NDArray[np.int64]:
    return np.array([rule.hash(document) for document in documents])


@given(st.lists(st.text(max_size=4), min_size=2, max_size=60), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_documents_that_are_alike_fall_on_the_same_side(documents: list[str], share: float, seed: int) -> None:
    rule = SplitRule(share, seed)
    if len(set(documents)) == 1:
        with pytest.raises(genrun.OptionError, match=r"for validation and 0 for training|leaves 0 for validation"):
            rule.held_out(hashes(rule, documents))
        return
    held_out = set(rule.held_out(hashes(rule, documents)).tolist())
    texts = {documents[i] for i in held_out}
    assert 0 < len(held_out) < len(documents)
    assert held_out == {i for i, document in enumerate(documents) if document in texts}


def test_a_corpus_that_grows_keeps_what_it_held_out() -> None:
    rule, documents = SplitRule(0.1), [f"document {i}" for i in range(1_000)]
    before = rule.held_out(hashes(rule, documents))
    after = rule.held_out(hashes(rule, ["a new first one", *documents, "new ones", "at the end"]))
    assert 70 < len(before) < 130
    assert [i - 1 for i in after if 0 < i <= 1_000] == before.tolist()


def test_another_split_seed_holds_out_other_documents_and_the_training_seed_has_no_say() -> None:
    documents = [f"document {i}" for i in range(1_000)]
    one, other = (set(rule.held_out(hashes(rule, documents))) for rule in (SplitRule(0.1), SplitRule(0.1, seed=1)))
    assert len(one & other) < len(one) / 3


@given(st.integers(2, 500), st.floats(0.01, 0.99))
def test_of_a_running_text_the_end_is_held_out(count: int, share: float) -> None:
    rule = SplitRule(share, running_text=True)
    numbers = np.arange(count)
    if round(count * share) == count:
        with pytest.raises(genrun.OptionError, match=f"leaves {count} for validation and 0 for training"):
            rule.held_out(numbers)
        return
    held_out = max(round(count * share), 1)
    assert rule.held_out(numbers).tolist() == list(range(count - held_out, count))


def test_one_document_cannot_be_split() -> None:
    for rule in (SplitRule(0.1), SplitRule(0.1, running_text=True)):
        with pytest.raises(
            genrun.OptionError, match=r"leaves [01] for validation and [01] for training; choose another"
        ):
            rule.held_out(np.array([5]))
    assert SplitRule().held_out(np.array([5])).tolist() == []


def counted(folder: Path, lines: list[str], rule: SplitRule, validation: list[str] | None = None) -> WordCount:
    (folder / "corpus.txt").write_text("\n".join(lines), "utf-8")
    (folder / "validation.txt").write_text("\n".join(validation or []), "utf-8")
    given_too = [str(folder / "validation.txt")] if validation else []
    sources = Sources(registry.make_reader("text"), [str(folder / "corpus.txt")], given_too)
    found = count_words(sources, TokenizerSettings(), rule)
    encode_documents(sources, found, folder / "tokens")
    return found


@pytest.mark.parametrize("rule", [SplitRule(0.2), SplitRule(0.2, running_text=True), SplitRule(0.01)])
def test_the_vocabulary_is_that_of_the_documents_that_are_trained_on(rule: SplitRule, tmp_path: Path) -> None:
    lines = [f"each word{i} once" for i in range(50)]
    found = counted(tmp_path, lines, rule)
    shards = TokenShards.open(tmp_path / "tokens")
    assert shards.held_out.tolist() == found.held_out.tolist() != []
    words = {word for i in shards.trained_on for word in lines[i].split()}
    assert set(found.tokenizer.vocabulary) == words | {"<pad>", "<unk>", "<start>", "<end>"}
    unk = found.tokenizer.special("unk")
    assert all((unk in shards[i]) == (i in found.held_out) for i in range(len(lines)))
    assert found.counts.held_out_words == 3 * len(found.held_out)


def test_documents_that_are_given_for_validation_are_held_out_and_no_others(tmp_path: Path) -> None:
    rule = SplitRule(0.5, own_documents=True)
    found = counted(tmp_path, ["a b c", "a b"], rule, ["c d", "d e"])
    assert found.held_out.tolist() == [2, 3]
    assert "d" not in found.tokenizer.vocabulary
    assert (found.counts.documents, found.counts.words, found.counts.held_out_words) == (4, 9, 4)


def test_documents_that_are_validated_and_trained_on_are_said(tmp_path: Path) -> None:
    corpus, given = tmp_path / "corpus.txt", tmp_path / "validation.txt"
    corpus.write_text("a b c\na b\na b\nb c d\n", "utf-8")
    given.write_text("a b\nb c\na b\n", "utf-8")
    said: list[str] = []
    train([str(corpus)], load_recipe("ngram"), tmp_path / "run", validation=[str(given)], say=said.append)
    [line] = [line for line in said if "given for validation" in line]
    assert line.startswith("note: 2 documents given for validation are also trained on")


def test_shards_that_hold_out_what_is_not_there_are_refused(tmp_path: Path) -> None:
    counted(tmp_path, ["a b c", "a b"], SplitRule())
    np.array([1, 2], "<i8").tofile(tmp_path / "tokens" / "held_out.int64")
    with pytest.raises(genrun.RunFolderError, match=r"held_out.int64 names documents that the token shards do not"):
        TokenShards.open(tmp_path / "tokens")


def test_a_training_measures_on_the_file_that_is_given_for_validation(tmp_path: Path) -> None:
    parts = ("the", "a"), ("ferry", "bridge", "school", "road"), ("is late", "is closed", "opens", "was repaired")
    lines = [" ".join(words) for words in product(*parts)]
    (tmp_path / "corpus.txt").write_text("\n".join(lines[:24]), "utf-8")
    (tmp_path / "validation.txt").write_text("\n".join(lines[24:]), "utf-8")
    said: list[str] = []
    given_too = [str(tmp_path / "validation.txt")]
    recipe, corpus = load_recipe("ngram"), [str(tmp_path / "corpus.txt")]
    run = train(corpus, recipe, tmp_path / "run", validation=given_too, say=said.append)
    assert "8 documents are held out to measure with; 0.0% of their words are unknown" in said
    shards = run.shards(run.tokenizer())
    assert shards.held_out.tolist() == list(range(24, 32))
    found = evaluate(run.path, given_too).perplexity
    assert run.card()["training"]["val_perplexity"] == pytest.approx(found, abs=1e-5)
    assert RunFolder.open(run.path).validation_sources == given_too
    with pytest.raises(genrun.CorpusError, match=r"nowhere\.txt"):
        train(corpus, recipe, tmp_path / "other", validation=[str(tmp_path / "nowhere.txt")])
    assert not (tmp_path / "other").exists()
    with pytest.raises(genrun.OptionError, match="standard input can be named only once"):
        train(["-"], recipe, tmp_path / "other", validation=["-"])
