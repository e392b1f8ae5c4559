"""What a text box shows while somebody types, and what taking a suggestion makes of the text. It knows no window."""

from __future__ import annotations

from dataclasses import dataclass

import genrun

CLOSING = ",.;:!?…)]”’"  # marks that stand directly behind a word


@dataclass(frozen=True, slots=True)
class Offer:
    """Suggestions for a text: the words, the likeliest first, and a remark, which may be empty."""

    words: tuple[str, ...]
    remark: str


class Completing:
    """Suggests words for one line of text, as it stands before the cursor; for one thread."""

    def __init__(self, model: genrun.Model, most: int = 5) -> None:
        self._tokenizer = model.tokenizer
        self._typing = model.typing()  # keeps the model's states, so that a letter costs at most one step
        self._most = most
        self._suggestions: list[genrun.Suggestion] = []

    def look(self, line: str) -> Offer:
        """Return the suggestions for ``line``."""
        try:
            self._suggestions = self._typing.suggest(line, self._most)
        except genrun.PromptError as error:  # nothing to begin from, so far
            self._suggestions = []
            return Offer((), str(error))
        unknown = ", ".join(self._typing.unknown)
        remark = f"not in the model's vocabulary: {unknown}" if unknown else ""
        return Offer(tuple(suggestion.text for suggestion in self._suggestions), remark)

    def take(self, line: str, number: int) -> str:
        """Return ``line`` with a suggestion of the last :meth:`look`, by its number from 0.

        It replaces the unfinished word that it completes. A word is followed by a space.
        """
        suggestion = self._suggestions[number]
        before = line[: len(line) - self._typed(line, suggestion.completes)]
        if self._tokenizer.kind != "word":  # characters, or subwords: the next part may belong to the same word
            return before + suggestion.text
        if suggestion.text[0] in CLOSING:
            before = before.rstrip()
        elif not suggestion.completes and before and not before[-1].isspace():
            before += " "
        return f"{before}{suggestion.text} "

    def _typed(self, line: str, completes: str) -> int:
        """Return how many characters at the end of ``line`` are the unfinished word ``completes``, as it was typed.

        The tokenizer normalizes what was typed: its form may be shorter or longer.
        """
        if not completes:
            return 0
        for count in range(1, len(line) + 1):
            if "".join(self._tokenizer.encode(line[-count:]).pieces).strip() == completes:
                return count
        return min(len(completes), len(line))
