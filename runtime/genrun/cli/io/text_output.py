"""The texts of ``genrun generate`` on their way from the prompts to standard output or a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genrun.cli.io.line_writer import LineWriter
from genrun.cli.io.output_file import OutputFile
from genrun.cli.io.progress import Progress
from genrun.cli.io.prompt_source import PromptSource
from genrun.cli.io.unknown_words import UnknownWords
from genrun.errors import PromptError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.results import Result

__all__ = ["TextOutput"]


@dataclass(frozen=True, slots=True)
class TextOutput:
    """All texts of a command, and the form in which they are written."""

    model: Model
    source: PromptSource
    samples: int
    settings: GenerationSettings
    lines: bool
    as_json: bool

    def about(self) -> dict[str, Any]:
        """Return what the bytes of the texts depend on, besides the prompts; JSON values."""
        settings = self.settings
        return {
            "model": self.model.digest or f"{self.model.size} bytes",
            "form": "json" if self.as_json else "lines" if self.lines else "text",
            "n": self.samples,
            "seed": settings.seed,
            "decoder": repr(settings.decoder),
            "max_new_tokens": settings.max_new_tokens,
            "stop": list(settings.stops),
            "casing": settings.casing,
            **({"labels": dict(settings.labels)} if settings.labels else {}),
        }

    def write(self, writer: LineWriter | OutputFile, *, quiet: bool) -> None:
        """Write all texts that are not in the file of ``writer`` already; ``quiet`` shows no progress."""
        shown = self.source.is_unbounded and not quiet
        total = self.source.total() if shown else None
        done = writer.done if isinstance(writer, OutputFile) else 0
        progress = Progress(total and (total - done) * self.samples, shown=shown)
        unknown, some, empty = UnknownWords(progress.say), done > 0, 0
        with progress, writer:
            try:
                for result in self._results(writer):
                    if result.sample == 0:
                        unknown.note(result.prompt, result.unknown)
                    self._write_text(writer, result)
                    progress.advance(len(result.ids))
                    some, empty = True, empty + (not result.text.strip())
                if not some:
                    progress.say("note: there were no prompts")
                if empty:
                    many = "a text is" if empty == 1 else f"{empty:,} texts are"
                    progress.say(f"note: {many} empty: the model may end a text before its first word")
            finally:
                unknown.summarize()

    def _write_text(self, writer: LineWriter | OutputFile, result: Result) -> None:
        if self.as_json:
            values = result.to_json()
            if isinstance(writer, OutputFile):
                del values["tokens_per_second"]  # of this run; a file is the same in every run
            writer.write_json(values)
        else:
            for line in [*result.text.split("\n"), ""] if self.lines else [result.text]:
                writer.write(line)
        if isinstance(writer, OutputFile) and result.sample == self.samples - 1:
            writer.complete(result.prompt)

    def _results(self, writer: LineWriter | OutputFile) -> Iterator[Result]:
        """Yield the results that are not in the file already, and flush the writer before waiting for more."""
        for prompts in self.source:
            skipped = 0
            if isinstance(writer, OutputFile):
                while skipped < len(prompts) and writer.skip(prompts[skipped]):
                    skipped += 1
            count = 0
            try:
                for result in self.model.generate_each(prompts[skipped:], n=self.samples, settings=self.settings):
                    yield result
                    count += 1
            except PromptError as error:
                raise self.source.located(error, skipped + count // self.samples) from error
            writer.flush()
