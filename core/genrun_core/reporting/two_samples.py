"""A two-sample test: how well a simple classifier tells texts from documents."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np

from genrun.errors import MissingExtraError
from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.words import Split, ngrams

__all__ = ["LEAST_TEXTS", "require_classifier", "tell_apart"]

LEAST_TEXTS = 100  # of each kind; with fewer, chance alone moves the figure by more than 0.08
_FOLDS = 5
_INVERSE_PENALTY = 10.0  # finds Markov chains out better than 1 does, and real documents no better


def require_classifier() -> None:
    """Raise MissingExtraError with the pip line unless scikit-learn is installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtraError("telling texts from documents needs scikit-learn", "train")


def tell_apart(texts: Sequence[str], documents: Sequence[str], split: Split = words_of) -> float | None:
    """Return the AUC of a classifier that tells ``texts`` from ``documents``; None with fewer than 100 of either.

    It is the chance that the classifier finds a random text more text-like than a random document: 0.5 if it cannot
    tell them apart, 1 if it always can. The classifier is a logistic regression on the runs of one to three words of
    a text, without case and punctuation, weighted by tf-idf. Of each kind, the first texts are used, equally many.
    Each fifth of them is judged by a classifier that learnt from the others; the figure is the mean over the fifths.
    ``split`` gives the words, or what stands for them.
    See Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", 2017. Raises MissingExtraError without
    scikit-learn.

    A figure far below 0.5 means that the same documents are on both sides: one is learnt from, its twin is judged.

    >>> tell_apart(["one two three"] * 100, ["three two one"] * 100)
    1.0
    """
    number = min(len(texts), len(documents))
    if number < LEAST_TEXTS:
        return None
    require_classifier()
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    words = [split(text) for text in (*texts[:number], *documents[:number])]
    if not any(words):
        return 0.5
    features = TfidfVectorizer(analyzer=ngrams).fit_transform(words)
    is_text = np.repeat([1, 0], number)
    classifier = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear", random_state=0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    return float(cross_val_score(classifier, features, is_text, scoring="roc_auc", cv=folds).mean())
