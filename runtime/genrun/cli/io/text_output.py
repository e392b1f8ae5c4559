"""The texts of ``genrun generate`` on their way from the prompts to standard output or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from genrun.cli.io.line_writer import LineWriter
from genrun.cli.io.output_file import OutputFile
from genrun.cli.io.progress import Progress
from genrun.cli.io.prompt_source import PromptSource
from genrun.cli.io.unknown_words import UnknownWords
from genrun.errors import PromptError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.results import Result

__all__ = ["TextOutput", "about_texts"]


def about_texts(model: Model, settings: GenerationSettings, samples: int, form: str) -> dict[str, Any]:
    """Return what texts in a ``form`` depend on, besides the prompts; JSON values by name."""
    about = {
        "model": model.digest or f"{model.size} bytes",
        "form": form,
        "n": samples,
        "seed": settings.seed,
        "decoder": repr(settings.decoder),
        "max_new_tokens": settings.max_new_tokens,
        "stop": list(settings.stops),
        "casing": settings.casing,
        "search": settings.search and repr(settings.search),
    }
    if settings.constraint:
        about |= {"constraint": [repr(each.part) for each in settings.constraint], "particles": settings.particles}
    if settings.labels:
        about["labels"] = dict(settings.labels)
    return about


class TextOutput(NamedTuple):
    """All texts of a command, and the form in which they are written."""

    model: Model
    source: PromptSource
    samples: int
    settings: GenerationSettings
    lines: bool
    as_json: bool

    def about(self) -> dict[str, Any]:
        """Return what the bytes of the texts depend on, besides the prompts; JSON values."""
        form = "json" if self.as_json else "lines" if self.lines else "text"
        return about_texts(self.model, self.settings, self.samples, form)

    def write(self, writer: LineWriter | OutputFile, *, quiet: bool) -> None:
        """Write all texts that are not in the file of ``writer`` already; ``quiet`` shows no progress."""
        shown = self.source.is_unbounded and not quiet
        total = self.source.total() if shown else None
        done = writer.done if isinstance(writer, OutputFile) else 0
        progress = Progress(total and (total - done) * self.samples, shown=shown)
        unknown, some, empty, short = UnknownWords(progress.say), done > 0, 0, 0
        copies = _Copies()
        with progress, writer:
            try:
                for result, is_last in self._results(writer):
                    if result.sample == 0:
                        unknown.note(result.prompt, result.unknown)
                    self._write_text(writer, result, is_last=is_last)
                    short += is_last and result.sample < self.samples - 1
                    copies.note(result)
                    progress.advance(len(result.ids))
                    some, empty = True, empty + (not result.text.strip())
                if not some:
                    progress.say("note: there were no prompts")
                if short:
                    many = "a prompt" if short == 1 else f"{short:,} prompts"
                    progress.say(f"note: there are fewer than {self.samples} different texts for {many}")
                if empty:
                    many = "a text is" if empty == 1 else f"{empty:,} texts are"
                    progress.say(f"note: {many} empty")
                if copies.line and not quiet:
                    progress.say(copies.line)
            finally:
                unknown.summarize()

    def _write_text(self, writer: LineWriter | OutputFile, result: Result, *, is_last: bool) -> None:
        if self.as_json:
            values = result.to_json()
            if isinstance(writer, OutputFile):
                del values["tokens_per_second"]  # of this run; a file is the same in every run
            writer.write_json(values)
        else:
            for line in [*result.text.split("\n"), ""] if self.lines else [result.text]:
                writer.write(line)
        if isinstance(writer, OutputFile) and is_last:
            writer.complete(result.prompt)

    def _results(self, writer: LineWriter | OutputFile) -> Iterator[tuple[Result, bool]]:
        """Yield the results that are not in the file already, and whether each is the last one of its prompt.

        Flushes the writer before waiting for more prompts.
        """
        for prompts in self.source:
            skipped = 0
            if isinstance(writer, OutputFile):
                while skipped < len(prompts) and writer.skip(prompts[skipped]):
                    skipped += 1
            done = skipped
            try:
                for result, is_last in self._results_of(prompts[skipped:]):
                    yield result, is_last
                    done += is_last
            except PromptError as error:
                raise self.source.located(error, done) from error
            writer.flush()

    def _results_of(self, prompts: list[str]) -> Iterator[tuple[Result, bool]]:
        """Yield the results for ``prompts``; a search may find fewer texts of one than were asked for."""
        if self.settings.search is None:
            for result in self.model.generate_each(prompts, n=self.samples, settings=self.settings):
                yield result, result.sample == self.samples - 1
            return
        for prompt in prompts:
            results = self.model.generate_many([prompt], n=self.samples, settings=self.settings)
            for result in results:
                yield result, result is results[-1]


class _Copies:
    """Counts texts that are lines of the training text, and those that have a long run of its words."""

    def __init__(self) -> None:
        self._texts = self._lines = self._runs = self._longest = 0

    def note(self, result: Result) -> None:
        """Count one text."""
        self._texts += 1
        self._lines += bool(result.is_training_line)
        self._runs += bool(result.copied_run)
        self._longest = max(self._longest, result.copied_run or 0)

    @property
    def line(self) -> str:
        """The note; empty if nothing is copied."""
        if not (self._runs or self._lines):
            return ""
        parts = []
        if self._runs:
            parts.append(f"{self._runs:,} of {self._texts:,} copy long runs of it, at most {self._longest} words")
        if self._lines:
            parts.append(f"{self._lines:,} of {self._texts:,} are whole lines of it")
        return f"note: compared with the training text, {', '.join(parts)} (see --max-copied)"
