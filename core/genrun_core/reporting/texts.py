"""What a list of texts is like: how many are empty, short or faulty, how varied they are, how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.words import Split, has_doubled_words, has_odd_quotation_marks, ngrams

__all__ = ["VERY_SHORT", "TextMeasures", "measure_texts"]

VERY_SHORT = 2  # words


@dataclass(frozen=True, slots=True)
class TextMeasures:
    """What ``texts`` texts are like; None is what cannot be measured.

    Shares, 0 to 1, of the texts: ``empty`` (only white space), ``very_short`` (two words or fewer, the empty ones
    included), ``doubled_words`` ("the the" somewhere), ``odd_quotation_marks`` (one without a partner).
    ``distinct_1`` to ``distinct_3``: different runs of 1 to 3 words over all such runs (Li et al., "A
    Diversity-Promoting Objective Function for Neural Conversation Models", 2016). ``length_5``, ``length_median``,
    ``length_95``: words in a text that 5, 50 and 95 % of the texts do not exceed.
    """

    texts: int
    empty: float
    very_short: float
    doubled_words: float
    odd_quotation_marks: float
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    length_5: float
    length_median: float
    length_95: float


def measure_texts(texts: Sequence[str], *, distinct_of: int | None = None, split: Split = words_of) -> TextMeasures:
    """Measure ``texts``, of which there must be one at least.

    The distinct runs of words are those of the first ``distinct_of`` texts (None: of all): the more texts, the fewer
    of their runs are new, so only equal numbers of texts can be compared. ``split`` gives the words, or what
    stands for them. Raises ValueError without a text.

    >>> found = measure_texts(["The the sea", "The “sea", "", "a b c d"])
    >>> found.empty, found.very_short, found.doubled_words, found.odd_quotation_marks
    (0.25, 0.5, 0.25, 0.25)
    >>> found.distinct_1, found.length_median
    (0.6666666666666666, 2.5)
    """
    if not texts:
        raise ValueError("there are no texts to measure")
    words = [split(text) for text in texts]
    lengths = np.array([len(found) for found in words])
    short, long = (float(value) for value in np.quantile(lengths, (0.05, 0.95), method="inverted_cdf"))
    distinct = [_distinct(words[:distinct_of], length) for length in (1, 2, 3)]
    return TextMeasures(
        texts=len(texts),
        empty=_share(texts, lambda text: not text.strip()),
        very_short=float((lengths <= VERY_SHORT).mean()),
        doubled_words=_share(texts, has_doubled_words),
        odd_quotation_marks=_share(texts, has_odd_quotation_marks),
        distinct_1=distinct[0],
        distinct_2=distinct[1],
        distinct_3=distinct[2],
        length_5=short,
        length_median=float(np.median(lengths)),
        length_95=long,
    )


def _share(texts: Sequence[str], is_so: Callable[[str], bool]) -> float:
    return sum(map(is_so, texts)) / len(texts)


def _distinct(texts: Sequence[Sequence[str]], length: int) -> float | None:
    runs = [run for words in texts for run in ngrams(words, length, length)]
    return len(set(runs)) / len(runs) if runs else None
