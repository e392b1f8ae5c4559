"""Copies: exact figures by hand, and the same figures as a search that compares everything with everything."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.copies import find_copies

_TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=6)


def longest_run(text: str, training: list[str]) -> int:
    words, documents = words_of(text), [f" {' '.join(words_of(document))} " for document in training]
    for length in range(len(words), 0, -1):
        runs = [f" {' '.join(words[start : start + length])} " for start in range(len(words) - length + 1)]
        if any(run in document for run in runs for document in documents):
            return length
    return 0


def test_runs_and_whole_documents_by_hand() -> None:
    training = ["The cat sat on the mat.", "A dog", "sat on a chair"]
    copies = find_copies(
        ["the CAT sat on a chair", "“A dog!”", "the dog", "nothing like it", "the cat sat on the mat, a dog"],
        training,
    )
    assert copies.longest_run.tolist() == [4, 2, 1, 0, 6]
    assert copies.is_document.tolist() == [False, True, False, False, False]


def test_a_run_does_not_go_on_from_one_document_or_text_to_the_next() -> None:
    assert find_copies(["a b c"], ["a b", "c"]).longest_run.tolist() == [2]
    assert find_copies(["a b", "c d"], ["a b c d"]).longest_run.tolist() == [2, 2]


def test_a_text_without_words_is_no_copy() -> None:
    copies = find_copies(["", "…"], ["", "…", "a"])
    assert copies.longest_run.tolist() == [0, 0]
    assert copies.is_document.tolist() == [False, False]


def test_nothing_is_copied_from_nothing() -> None:
    assert find_copies(["a b"], []).longest_run.tolist() == [0]
    assert find_copies([], ["a b"]).longest_run.tolist() == []


def test_the_training_corpus_is_read_once() -> None:
    read: list[str] = []

    def documents() -> Iterator[str]:
        for document in ("a b", "c d"):
            read.append(document)
            yield document

    assert find_copies(["c d"], documents()).is_document.tolist() == [True]
    assert read == ["a b", "c d"]


def test_a_document_of_100_000_words_is_found_in_a_corpus_that_holds_it() -> None:
    book = " ".join(str(number * number % 9973) for number in range(100_000))
    opening = " ".join(book.split()[:50])
    copies = find_copies([opening, f"{opening} opening"], [book, "another one"])
    assert copies.longest_run.tolist() == [50, 50]


@given(_TEXTS, _TEXTS)
def test_the_longest_runs_are_those_of_comparing_everything(texts: list[str], training: list[str]) -> None:
    copies = find_copies(texts, training)
    assert copies.longest_run.tolist() == [longest_run(text, training) for text in texts]
    wholes = [words_of(document) for document in training]
    assert copies.is_document.tolist() == [bool(text) and words_of(text) in wholes for text in texts]
