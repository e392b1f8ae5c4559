from __future__ import annotations

import numpy as np
import pytest

from genrun.errors import OptionError
from genrun_core.counting import CountingModel, count_ngrams, prune
from support.counted import END, START, VOCABULARY, PlainModel, joined, some_documents

ORDERS = (2, 3, 4, 5)


def model_of(documents: list[list[int]], order: int, *, boundary: bool) -> CountingModel:
    return count_ngrams(*joined(documents), vocabulary=VOCABULARY, order=order, boundary=boundary)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("framed", [True, False])
def test_a_counted_model_is_the_one_that_the_paper_writes_down(order: int, framed: bool) -> None:
    model = model_of(some_documents(framed=framed), order, boundary=not framed)
    plain = PlainModel(some_documents(framed=framed), order, boundary=not framed)
    others = some_documents(20, framed=framed, seed=1)
    head = [] if framed else [VOCABULARY]
    expected = [
        np.log(plain.probability(document[at], (*head, *document[:at])))
        for document in others
        for at in range(1, len(document))
    ]
    np.testing.assert_allclose(model.score(*joined(others)), expected, rtol=1e-10)


@pytest.mark.parametrize("order", ORDERS)
def test_probabilities_sum_to_one_after_any_tokens(order: int) -> None:
    for boundary in (True, False):
        model = model_of(some_documents(framed=not boundary), order, boundary=boundary)
        for tokens in ([], [START], [5], [5, 9, 7, 11], [END, START, 6], [29, 28], [0, 0, 0]):
            distribution = model.distribution(model.contexts(np.array(tokens, np.int64)))
            assert distribution.min() > 0
            assert distribution.sum() == pytest.approx(1, abs=1e-12)


def test_a_document_is_scored_as_its_distributions_say() -> None:
    model = model_of(some_documents(framed=False), 4, boundary=True)
    document = some_documents(1, framed=False, seed=5)[0]
    expected = [
        np.log(model.distribution(model.contexts(np.array(document[:at])))[document[at]])
        for at in range(1, len(document))
    ]
    np.testing.assert_allclose(model.score(*joined([document])), expected)


def test_the_first_token_of_a_document_is_not_predicted_and_documents_do_not_touch() -> None:
    documents = some_documents(40)
    model = model_of(documents, 3, boundary=False)
    apart = np.concatenate([model.score(*joined([document])) for document in documents])
    together = model.score(*joined([[], *documents[:20], [], [7], *documents[20:]]))
    assert len(together) == sum(len(document) - 1 for document in documents)
    np.testing.assert_array_equal(together, apart)


def test_a_running_text_is_counted_across_its_lines() -> None:
    documents = some_documents(40)
    text = [token for document in documents for token in document]
    model = model_of([text], 3, boundary=False)
    assert len(model.score(*joined([text]))) == len(text) - 1
    after_end = model.distribution(model.contexts(np.array([9, END])))
    assert after_end.argmax() == START


@pytest.mark.parametrize("documents", [[[5, 6]], [[5, 5, 5, 5]], [[5], []], [[4, 5, 6], [4, 5, 6]]])
def test_a_tiny_corpus_gives_a_model_too(documents: list[list[int]]) -> None:
    for order in ORDERS:
        for boundary in (True, False):
            model = model_of(documents, order, boundary=boundary)
            distribution = model.distribution(model.contexts(np.array([5])))
            assert distribution.sum() == pytest.approx(1)
            assert np.isfinite(model.score(*joined([[4, 5, 6, 7]]))).all()


def test_an_order_that_is_not_two_to_five_is_refused() -> None:
    with pytest.raises(OptionError, match="order must be a whole number from 2 to 5, not 6"):
        model_of([[5, 6]], 6, boundary=False)


def test_a_pruned_model_still_sums_to_one_and_predicts_nearly_as_well() -> None:
    documents = some_documents(400)
    model, others = model_of(documents, 4, boundary=False), joined(some_documents(50, seed=9))
    for pruned in (
        prune(model, entries=model.entries // 2),
        prune(model, longest_row=(4, 2, 1)),
    ):
        assert 0 < pruned.entries < model.entries
        for tokens in ([START, 9], [START, 9, 12], [8], [4, 5, 6, 7]):
            distribution = pruned.distribution(pruned.contexts(np.array(tokens)))
            assert distribution.min() > 0
            assert distribution.sum() == pytest.approx(1, abs=1e-12)
        assert pruned.score(*others).mean() > model.score(*others).mean() - 0.2
    assert prune(model, entries=model.entries // 2).entries == model.entries // 2


def test_what_matters_most_is_kept_when_a_row_is_cut() -> None:
    documents = [[START, 5, 6, END]] * 50 + [[START, 5, 7 + i % 20, END] for i in range(20)]
    model = prune(model_of(documents, 2, boundary=False), longest_row=(1,))
    assert model.distribution(model.contexts(np.array([5]))).argmax() == 6
    assert np.bincount(model.keys[1] // model.width).max() == 1


def test_pruning_to_nothing_leaves_the_unigrams() -> None:
    model = prune(model_of(some_documents(), 3, boundary=False), entries=0)
    np.testing.assert_allclose(model.distribution(model.contexts(np.array([5, 6]))), model.unigrams())


def test_a_model_is_the_same_after_it_was_kept_as_arrays() -> None:
    model = model_of(some_documents(), 3, boundary=True)
    again = CountingModel.from_arrays(model.to_arrays())
    assert (again.order, again.vocabulary, again.boundary) == (3, VOCABULARY, True)
    np.testing.assert_array_equal(again.score(*joined(some_documents(9))), model.score(*joined(some_documents(9))))
