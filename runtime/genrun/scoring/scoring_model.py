"""The calls of a model that score texts."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from genrun.checks.arguments import check_count, check_texts
from genrun.generating.generator import BATCH_SIZE
from genrun.generating.stepping.open_model import OpenModel
from genrun.tokenizer.labels import check_labels

if TYPE_CHECKING:
    from genrun.scoring.scores import Score
    from genrun.scoring.token_scorer import TokenScorer

__all__ = ["ScoringModel"]


class ScoringModel(OpenModel):
    """An open model that says how likely texts are."""

    def score(self, text: str, *, labels: Mapping[str, str] | None = None) -> Score:
        """Return how likely ``text`` is as a whole document: log-probability, perplexity, and each token's share.

        A ``<start>`` that opens the text is understood, as in a prompt. ``labels``: those of :meth:`settings`.
        """
        return next(self.score_each([text], labels=labels))

    def score_each(
        self,
        texts: Iterable[str],
        *,
        batch_size: int = BATCH_SIZE,
        labels: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Score]:
        """Yield the score of every text, in order, taking texts only as fast as they are used; ``stop`` ends it."""
        from genrun.scoring.scores import score_texts

        check_texts("texts", texts)
        before, count = self.tokenizer.labels.ids(check_labels(labels)), check_count("batch_size", batch_size)
        return score_texts(self._session.stoppable(stop), self.tokenizer, texts, count, before)

    def token_scorer(self, most: int = 0, *, stop: threading.Event | None = None) -> TokenScorer:
        """Return what scores a text token by token, with the ``most`` likeliest tokens at each place.

        ``stop``: reading ends, with an exception, once it is set by another thread.

        >>> first, second = model.token_scorer(most=1).read(model.tokenizer.encode("today in").ids)
        >>> first.log_probability, second.id == second.likeliest[0][0]
        (None, True)
        """
        from genrun.scoring.token_scorer import TokenScorer

        return TokenScorer(self._session, most, stop)
