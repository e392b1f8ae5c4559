"""The tokens of an answer as text: what ``logprobs`` lists, with the place of each token in the text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from genrun.generating.open_prompt import OpenPrompt
from genrun.generating.text_stream import TextStream
from genrun.scoring.token_scorer import ScoredToken
from genrun.serving.asking.asked import Asked, Prompt

__all__ = ["TokenTexts"]


class _Entry(NamedTuple):
    """A token as it is listed: its text, log-probability, the likeliest at its place, and its place in the text."""

    text: str
    log_probability: float | None
    likeliest: dict[str, float] | None
    offset: int


class TokenTexts:
    """Lists the tokens of one text as they are generated, with their log-probabilities under the model.

    The tokens are scored by reading the text once more, one step a token. Offsets are places in the answer's text: if
    the request has ``echo``, the prompt is a part of it.
    """

    def __init__(self, asked: Asked, prompt: Prompt) -> None:
        model = asked.served.model
        self._tokenizer, self._casing, self._echo = model.tokenizer, asked.settings.casing, asked.echo
        self._subwords = self._tokenizer.kind == "bpe"
        self._stopping = threading.Event()
        self._scorer = model.token_scorer(asked.likeliest or 0, stop=self._stopping)
        opened = self._tokenizer.open_end(prompt.encoding).open if prompt.ids is None else ()
        repeated = OpenPrompt(self._tokenizer, opened).letters if opened else 0
        self._stream = TextStream.after(
            self._tokenizer, prompt.text, prompt.encoding, casing=self._casing, repeated=repeated
        )
        self.prompt_text = self._stream.prompt_text
        """The prompt as it stands at the head of the text."""
        self._entries: list[_Entry] = []
        self._at = 0
        self._begun = False

    def stop(self) -> None:
        """End the reading in another thread."""
        self._stopping.set()

    async def read(self, prompt_ids: Sequence[int], new_ids: Sequence[int]) -> None:
        """Read the next tokens: those of the prompt, once, and ``new_ids``."""
        await asyncio.to_thread(self._read, prompt_ids, new_ids)

    def take(self, length: int | None) -> dict[str, Any]:
        """Return the lists of the tokens that begin within the first ``length`` characters of the text, each once.

        None: all that are left.
        """
        count = len(self._entries)
        if length is not None:
            count = next((i for i, entry in enumerate(self._entries) if entry.offset >= length), count)
        taken, self._entries = self._entries[:count], self._entries[count:]
        return {
            "tokens": [entry.text for entry in taken],
            "token_logprobs": [entry.log_probability for entry in taken],
            "top_logprobs": [entry.likeliest for entry in taken],
            "text_offset": [entry.offset for entry in taken],
        }

    def _read(self, prompt_ids: Sequence[int], new_ids: Sequence[int]) -> None:
        if not self._begun:
            self._begun = True
            scored = self._scorer.read(prompt_ids)
            if self._echo:
                self._list_prompt(scored)
        self._list(self._scorer.read(new_ids), self._stream)

    def _list_prompt(self, scored: Iterable[ScoredToken]) -> None:
        """List the tokens of the prompt.

        Of words, the text has the prompt as it was typed, in other letters than its tokens have: each token's place
        is found by looking for it. Of subwords, the text is what its tokens say, and the new ones go on from there.
        """
        written = TextStream(self._tokenizer, (), casing=self._casing)
        if self._subwords:
            self._list(scored, written)
            self._stream = written
            return
        self._list(scored, written)
        lowered = self.prompt_text.lower()
        typed = lowered if len(lowered) == len(self.prompt_text) else self.prompt_text
        self._entries = list(_placed(self._entries, typed))
        self._at = len(self.prompt_text)

    def _list(self, scored: Iterable[ScoredToken], stream: TextStream) -> None:
        for token in scored:
            likeliest: dict[str, float] | None = None
            if token.log_probability is not None:
                likeliest = {}
                for other, log in token.likeliest:
                    piece = self._tokenizer.piece_to_join(other, self._casing)
                    likeliest.setdefault(self._name(other, stream.detokenizer.peek(piece)), log)
            added = stream.push(token.id)
            name = self._name(token.id, added)
            if likeliest:
                likeliest.setdefault(name, token.log_probability or 0.0)
            self._entries.append(_Entry(name, token.log_probability, likeliest, self._at))
            self._at += len(added)

    def _name(self, token: int, text: str) -> str:
        """Return what a token is called: its text, or its entry of the vocabulary where it adds none."""
        return text or self._tokenizer.vocabulary[token]


def _placed(entries: Iterable[_Entry], typed: str) -> Iterator[_Entry]:
    """Yield ``entries`` with their places in the prompt as it was typed, in lower case."""
    at = 0
    for entry in entries:
        text = entry.text.lower()
        bare = text.strip()
        found = typed.find(bare, at) if bare else -1
        if found < 0:
            yield entry._replace(offset=at)
            continue
        before = found - len(text) + len(text.lstrip())
        yield entry._replace(offset=before if before >= at and typed.startswith(text, before) else found)
        at = found + len(bare)
