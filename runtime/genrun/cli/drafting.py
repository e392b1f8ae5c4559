"""A text that a person and a model write together, and the files that keep it and how it came about."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrun.cli.io.json_line import json_line
from genrun.cli.io.replacing import replace_text
from genrun.errors import OptionError

if TYPE_CHECKING:
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["Candidate", "Draft", "Kept", "candidates"]

_CLOSING = frozenset(",.;:!?)]}’”'")


@dataclass(frozen=True, slots=True)
class Candidate:
    """How a text may go on: the characters that are ``added``; ``kind`` is word or phrase."""

    kind: str
    added: str
    probability: float | None = None


@dataclass(slots=True)
class Draft:
    """A text in the making; ``events`` are all steps that led to it, undone ones included."""

    text: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _before: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, start: str, events: list[dict[str, Any]]) -> Draft:
        """Return the draft that began with ``start`` and went through ``events``."""
        draft = cls(start)
        for event in events:
            if event["action"] == "undo":
                draft.undo()
            else:
                draft.add(event["text"][len(draft.text) :], **{k: v for k, v in event.items() if k != "text"})
        return draft

    def add(self, added: str, action: str, **about: Any) -> None:
        """Go on with ``added``; ``action`` says who wrote it: word, phrase (the model) or typed."""
        self._before.append(self.text)
        self.text += added
        self.events.append({"action": action, **about, "text": self.text})

    def type(self, text: str) -> None:
        """Go on with what was typed, after a space unless it begins with a closing mark or with white space."""
        spaced = self.text and not self.text[-1].isspace() and not text[0].isspace() and text[0] not in _CLOSING
        self.add(f" {text}" if spaced else text, "typed")

    def undo(self) -> bool:
        """Take back the last addition; return whether there was one."""
        if not self._before:
            return False
        self.text = self._before.pop()
        self.events.append({"action": "undo", "text": self.text})
        return True


class Kept:
    """The file of the texts that are kept, one a line, and beside it ``FILE.jsonl``: how each came about.

    The last line of that is the text in the making, with ``kept`` false, so that it can be continued. Raises
    OptionError for a FILE.jsonl that this did not write.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._story = path, path.with_name(f"{path.name}.jsonl")
        self._texts = path.read_text(encoding="utf-8") if path.exists() else ""
        self._records = _read(self._story) if self._story.exists() else []
        last = self._records[-1] if self._records else {"kept": True}
        self.unfinished: dict[str, Any] | None = None if last["kept"] else self._records.pop()

    def save(self, draft: Draft, start: str, about: dict[str, Any]) -> None:
        """Write the story with ``draft`` as the text in the making."""
        self._write(self._records + ([_record(draft, start, about, kept=False)] if draft.events else []))

    def keep(self, draft: Draft, start: str, about: dict[str, Any]) -> None:
        """Add ``draft`` to the texts, and to the story."""
        self._records.append(_record(draft, start, about, kept=True))
        line = " ".join(draft.text.split("\n"))
        self._texts += ("" if self._texts.endswith("\n") or not self._texts else "\n") + f"{line}\n"
        replace_text(self._path, self._texts)
        self._write(self._records)

    def _write(self, records: list[dict[str, Any]]) -> None:
        if records or self._story.exists():
            replace_text(self._story, "".join(f"{json_line(record)}\n" for record in records))


def _record(draft: Draft, start: str, about: dict[str, Any], *, kept: bool) -> dict[str, Any]:
    return {"kept": kept, "text": draft.text, "start": start, **about, "events": draft.events}


def _read(path: Path) -> list[dict[str, Any]]:
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            Draft.of(record["start"], record["events"])
            records.append({**record, "kept": bool(record["kept"])})
        except (ValueError, KeyError, TypeError, AttributeError):
            raise OptionError(f"{path}, line {number}: not written by genrun write; choose another -o") from None
    return records


def candidates(
    model: Model, text: str, settings: GenerationSettings, *, words: int, phrases: int, page: int
) -> list[Candidate]:
    """Return how ``text`` may go on: the likeliest words, then phrases; ``page`` counts those that were seen.

    Raises PromptError where the model cannot go on.
    """
    from genrun.generating.text_stream import TextStream

    open_text = f"{text} " if text and not text[-1].isspace() else text
    found = model.typing(casing=settings.casing).suggest(open_text, max((page + 1) * words, 1))[page * words :]
    encoding = model.tokenizer.encode_prompt(text)
    offered = []
    for each in found[:words]:
        added = f" {each.text}" if text and not text[-1].isspace() else each.text
        if model.tokenizer.kind == "word":
            added = TextStream.after(model.tokenizer, text, encoding, casing=settings.casing).extend([each.id])
        offered.append(Candidate("word", added, each.probability))
    results = model.generate_many([text], n=(page + 1) * phrases, settings=settings) if phrases else []
    known = {each.added for each in offered}
    for result in results[page * phrases :]:
        if result.continuation.strip() and result.continuation not in known:
            known.add(result.continuation)
            offered.append(Candidate("phrase", result.continuation))
    return offered
