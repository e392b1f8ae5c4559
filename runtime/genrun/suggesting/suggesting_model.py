"""The calls of a model that suggest next words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genrun.checks.arguments import check_count
from genrun.generating.stepping.open_model import OpenModel
from genrun.generating.stepping.session import StepSession
from genrun.loading.metadata import Metadata
from genrun.results import warn_unknown
from genrun.suggesting import KEPT_STATES
from genrun.tokenizer.labels import check_labels

if TYPE_CHECKING:
    from genrun.suggesting.suggester import Suggester, Suggestion
    from genrun.suggesting.typing_session import TypingSession

__all__ = ["SuggestingModel"]


class SuggestingModel(OpenModel):
    """An open model that suggests how a text may go on."""

    def __init__(self, session: StepSession, metadata: Metadata) -> None:
        super().__init__(session, metadata)
        self._made_suggester: Suggester | None = None

    def suggest(
        self,
        text: str,
        n: int = 5,
        *,
        end: bool = False,
        casing: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> list[Suggestion]:
        """Return the ``n`` likeliest words to follow ``text``, or to complete the word that it breaks off in.

        The likeliest comes first. After white space, or punctuation that the tokenizer parts from words, these are
        next words, with the probabilities that the model gives them; ``end`` offers the end of the text as well.
        Otherwise they are the words of the vocabulary that begin with the last one of ``text``, itself included, and
        their probabilities are 1 together. Fewer than ``n`` where there are no more. ``labels``: as for a text that
        is generated. Warns (UnknownWordsWarning) of
        finished words that are not in the vocabulary; raises OptionError where there is nothing to go on from.

        >>> model.suggest("today in n", n=1)
        [Suggestion(text='new', probability=1.0, id=6, completes='n')]
        """
        typing = self.typing(casing=casing, keep=1, labels=labels)
        suggestions = typing.suggest(text, n, end=end)
        warn_unknown(typing.unknown)
        return suggestions

    def typing(
        self, *, casing: str | None = None, keep: int = KEPT_STATES, labels: Mapping[str, str] | None = None
    ) -> TypingSession:
        """Return a session that suggests as :meth:`suggest` does while a text is typed, at a step or so a keystroke.

        ``keep``: of how many tokens it keeps the states. A session is for one thread; the model may have many.
        """
        from genrun.suggesting.typing_session import TypingSession

        check_count("keep", keep)
        before = self.tokenizer.labels.ids(check_labels(labels))
        return TypingSession(self._session, self._suggester, casing=casing, keep=keep, labels=before)

    @property
    def _suggester(self) -> Suggester:
        """Made when it is first needed; twice, where two threads need it at once, rather than under a lock."""
        if self._made_suggester is None:
            from genrun.suggesting.subword_suggester import SubwordSuggester
            from genrun.suggesting.suggester import Suggester

            subwords = self.tokenizer.subwords
            self._made_suggester = (
                Suggester(self.tokenizer, self.defaults)
                if subwords is None
                else SubwordSuggester(self.tokenizer, self.defaults, subwords)
            )
        return self._made_suggester
