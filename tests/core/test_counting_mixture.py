from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import genrun_core.counting.mixture as mixture_module
from genrun_core.counting import Counted, Mixture, count_ngrams, fit_mixture
from support.counted import VOCABULARY, joined, some_documents


def counted_and_documents(count: int, order: int = 3) -> tuple[Counted, NDArray[np.int64]]:
    model = count_ngrams(*joined(some_documents(300)), vocabulary=VOCABULARY, order=order, boundary=False)
    held_out = some_documents(count, seed=7)
    return model.counted(*joined(held_out)), np.repeat(np.arange(count), [len(one) - 1 for one in held_out])


def noisy(logs: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """Log-probabilities of something that is right as often, and wrong elsewhere."""
    return np.minimum(logs + np.random.default_rng(0).normal(0, by, len(logs)), -0.01)


def test_a_mixture_of_two_models_that_err_in_different_places_is_better_than_both() -> None:
    counted, documents = counted_and_documents(200)
    of_others = count_ngrams(*joined(some_documents(300, seed=1)), vocabulary=VOCABULARY, order=2, boundary=False)
    network = of_others.score(*joined(some_documents(200, seed=7)))
    fitted = fit_mixture(network, counted, documents, levels=3)
    assert fitted is not None
    mixture, _ = fitted
    assert mixture.mixed - max(mixture.network, mixture.counts) > 0.002
    assert mixture.mix(network, counted).mean() > max(network.mean(), counted.logs.mean())


def test_a_network_that_counting_cannot_help_is_left_alone() -> None:
    counted, documents = counted_and_documents(200)
    assert fit_mixture(np.maximum(counted.logs + 1.0, -0.05).clip(max=-0.01), counted, documents, levels=3) is None


def test_what_is_won_by_chance_on_a_few_documents_does_not_count() -> None:
    counted, documents = counted_and_documents(1)
    assert fit_mixture(noisy(counted.logs, 1.0), counted, documents, levels=3) is None
    nothing = counted.where(counted.left < 0)
    assert fit_mixture(np.zeros(0), nothing, documents[:0], levels=3) is None


def test_few_documents_need_not_show_what_a_mixture_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    of_others = count_ngrams(*joined(some_documents(300, seed=1)), vocabulary=VOCABULARY, order=2, boundary=False)
    network = {count: of_others.score(*joined(some_documents(count, seed=7))) for count in (12, 1_000)}
    counted, documents = counted_and_documents(12)
    fitted = fit_mixture(network[12], counted, documents, levels=3)
    assert fitted is not None
    many, _ = counted_and_documents(1_000)
    assert fitted[0].mix(network[1_000], many).mean() > network[1_000].mean()
    monkeypatch.setattr(mixture_module, "_CREDIT", 0.0)
    assert fit_mixture(network[12], counted, documents, levels=3) is None


def test_a_small_loss_on_many_documents_speaks_against_a_mixture() -> None:
    counted, documents = counted_and_documents(3_000)
    assert fit_mixture(np.minimum(counted.logs + 0.1, -0.01), counted, documents, levels=3) is None


def test_a_network_weighs_more_where_the_counts_know_less() -> None:
    counted, documents = counted_and_documents(400)
    network = np.where(counted.total >= 8, counted.logs - 3, np.minimum(counted.logs + 2, -0.3))
    fitted = fit_mixture(network, counted, documents, levels=3)
    assert fitted is not None
    mixture, _ = fitted
    seen_often, seen_once = mixture.weight(np.array([2, 2]), np.array([100, 1]))
    assert seen_once > seen_often


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_parts_of_a_prediction_make_its_probability(order: int) -> None:
    counted, _ = counted_and_documents(30, order)
    assert (counted.left > 0).all()
    assert (counted.left <= 1 + 1e-12).all()
    assert (counted.above >= 0).all()
    np.testing.assert_allclose(np.exp(counted.logs), counted.above + counted.left * counted.unigram)


def test_a_network_that_is_worse_than_counts_is_helped_by_them() -> None:
    counted, documents = counted_and_documents(200)
    fitted = fit_mixture(counted.logs - 1.0, counted, documents, levels=3)
    assert fitted is not None
    mixture, _ = fitted
    assert mixture.mixed > mixture.network + 0.1


def test_a_mixture_is_read_back_from_arrays_as_it_was() -> None:
    counted, documents = counted_and_documents(200)
    network = noisy(counted.logs, 1.0)
    fitted = fit_mixture(network, counted, documents, levels=3)
    assert fitted is not None
    mixture, _ = fitted
    again = Mixture.from_arrays(mixture.to_arrays(), levels=3)
    assert (again.weights == mixture.weights).all()
    assert (again.network, again.counts, again.mixed) == (mixture.network, mixture.counts, mixture.mixed)
    for wrong in (mixture.weights + 1, mixture.weights[:2], mixture.weights * np.nan):
        with pytest.raises(ValueError, match="the weights are no weights"):
            Mixture.from_arrays({**mixture.to_arrays(), "mixture.weights": wrong}, levels=3)
