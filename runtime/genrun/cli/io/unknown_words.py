"""Notes on stderr about words that are not in the vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from genrun.checks.printable import quoted
from genrun.checks.short_text import shorten
from genrun.cli.io.output import say as say_on_stderr
from genrun.cli.io.prompt_source import PromptSource
from genrun.errors import PromptError
from genrun.results import UnknownWordsWarning, list_words
from genrun.tokenizer import Tokenizer

__all__ = ["UnknownWords", "noting_unknown", "say_unknown"]

Made = TypeVar("Made")


def say_unknown(text: str, words: Sequence[str], say: Callable[[str], object] = say_on_stderr) -> None:
    """Print a note that names the unknown words of a text, on stderr unless ``say`` is given."""
    if words:
        say(f"note: not in the model's vocabulary: {list_words(words)} (in {quoted(shorten(text))})")


def noting_unknown(
    source: PromptSource, tokenizer: Tokenizer, make: Callable[[str], Made]
) -> Iterator[tuple[str, Made]]:
    """Yield each prompt of ``source`` and what ``make`` returns for it; print notes instead of its warnings.

    A PromptError names the line of the prompt.
    """
    for prompts in source:
        for index, prompt in enumerate(prompts):
            try:
                unknown = tokenizer.encode_prompt(prompt).unknown
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UnknownWordsWarning)
                    made = make(prompt)
            except PromptError as error:
                raise source.located(error, index) from error
            say_unknown(prompt, unknown)
            yield prompt, made


class UnknownWords:
    """Notes for any number of prompts: one for each of the first few, and a summary at the end."""

    _SHOWN = 5
    _KEPT = 10_000

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._prompts = 0
        self._words: dict[str, None] = {}

    def note(self, prompt: str, words: Sequence[str]) -> None:
        """Count the unknown ``words`` of a prompt, and print its note if it is among the first."""
        if not words:
            return
        self._prompts += 1
        if self._prompts <= self._SHOWN:
            say_unknown(prompt, words, self._say)
        if len(self._words) < self._KEPT:
            self._words.update(dict.fromkeys(map(shorten, words)))

    def summarize(self) -> None:
        """Print the summary, unless every prompt had its note."""
        if self._prompts <= self._SHOWN:
            return
        more = "more than " if len(self._words) >= self._KEPT else ""
        count = f"{more}{min(len(self._words), self._KEPT):,} word{'s' if len(self._words) != 1 else ''}"
        are = "is" if len(self._words) == 1 else "are"
        self._say(
            f"note: {count} in {self._prompts:,} prompts {are} not in the model's vocabulary: "
            f"{list_words(list(self._words))}"
        )
