"""The text that grows while tokens arrive: joins them, watches for stop texts, holds back what may become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genrun.tokenizer import Encoding, Tokenizer
from genrun.tokenizer.kinds import SPLITS

__all__ = ["TextStream"]

_KEEPS_PROMPT = ("none", "corpus")  # the other casings write the whole text


class TextStream:
    """Turns the new tokens of one row into pieces of text that join to its continuation.

    ``prompt_pieces`` stand before; they decide spacing and casing of the first new token. ``prompt_text`` is what
    they join to, or ``typed``, where that is given. The new tokens repeat the last ``repeated`` letters of the
    prompt, which are not written twice. Once one of the ``stops`` appears in the continuation, ``stopped`` is True
    and the text ends right before it.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt_pieces: Iterable[str],
        *,
        casing: str,
        stops: Sequence[str] = (),
        repeated: int = 0,
        typed: str | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._casing = casing
        self._stops = tuple(stops)
        self._repeated = repeated
        self.detokenizer = tokenizer.detokenizer(casing)
        self.prompt_text = self.detokenizer.join(prompt_pieces)
        if typed is not None:
            if typed and not self.prompt_text:  # the normalization removes all of it
                self.detokenizer.push(typed)
            self.prompt_text = typed
        self.stopped = False
        self._held = ""

    @classmethod
    def after(
        cls,
        tokenizer: Tokenizer,
        prompt: str,
        encoding: Encoding,
        *,
        casing: str,
        stops: Sequence[str] = (),
        repeated: int = 0,
    ) -> TextStream:
        """Return the stream that continues ``prompt``, of which ``encoding`` has the ids and pieces."""
        return cls(
            tokenizer,
            tokenizer.prompt_pieces(encoding, casing),
            casing=casing,
            stops=stops,
            repeated=repeated,
            typed=_kept(tokenizer, prompt, encoding, casing),
        )

    def push(self, token: int) -> str:
        """Add a token; return the text that can be emitted, "" while it may be the start of a stop text."""
        if self.stopped:
            return ""
        added = self.detokenizer.push(self._new(token))
        if not self._stops:
            return added
        text = self._held + added
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def extend(self, tokens: Iterable[int]) -> str:
        """Add the last ``tokens``; return all the text that can be emitted."""
        if self._stops:
            return "".join([self.push(token) for token in tokens]) + self.finish()
        return self.detokenizer.join([self._new(token) for token in tokens]) + self.detokenizer.finish()

    def whole(self, tokens: Iterable[int]) -> str:
        """Return the text of the prompt and of all ``tokens``."""
        return self.prompt_text + self.extend(tokens)

    def finish(self) -> str:
        """Return the text that was held back; no more tokens come."""
        if self.stopped:
            return ""
        held, self._held = self._held, ""
        return held + self.detokenizer.finish()

    def _new(self, token: int) -> str:
        """Return what of the piece of ``token`` is not in the prompt."""
        piece = self._tokenizer.piece_to_join(token, self._casing)
        if self._repeated:
            count = min(len(piece), self._repeated)
            self._repeated -= count
            return piece[count:]
        return piece


def _kept(tokenizer: Tokenizer, prompt: str, encoding: Encoding, casing: str) -> str | None:
    """Return ``prompt`` as it was typed, without white space at its end that is no token; None if it is rewritten."""
    if casing not in _KEEPS_PROMPT or tokenizer.kind == "bpe":
        return None
    typed = tokenizer.without_start(prompt)
    if encoding.pieces and encoding.pieces[-1].isspace():
        return typed
    return typed.rstrip(SPLITS[tokenizer.split_on] if tokenizer.kind == "word" else None)


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of ``text`` that is a beginning of ``stop``."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
