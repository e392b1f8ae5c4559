"""The options of ``genrun generate`` for where its texts go, and in which form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from genrun.cli.options.group import option_group

if TYPE_CHECKING:
    from genrun.generating.searching.methods import Search

__all__ = ["OutputOptions", "output_options"]


class OutputOptions(NamedTuple):
    """Where texts go (``output`` is a file, or the folder of ``--ray``), and in which form."""

    lines: bool
    as_json: bool
    output: Path | None
    resume: bool
    explain: bool
    stream: bool
    quiet: bool

    @property
    def has_form(self) -> bool:
        """Whether a form is asked for that a folder of Parquet files does not have."""
        return self.lines or self.as_json or self.explain or self.stream

    def check(self, samples: int, search: Search | None) -> None:
        """Raise UsageError for options that do not go together."""
        if self.stream and search is not None:
            raise click.UsageError(
                "--stream prints words as they are chosen; --beam, --distinct and --spread find whole texts"
            )
        if self.explain and (self.stream or self.resume or self.lines or samples > 1):
            raise click.UsageError("--explain is for one text of each prompt; it goes with --json and -o only")
        if self.stream and (samples > 1 or self.as_json or self.output):
            raise click.UsageError("--stream prints one text for each prompt; it does not go with -n, -o or --json")
        if self.resume and self.output is None:
            raise click.UsageError("--resume goes on with the file of -o; name it")
        if self.lines and self.as_json:
            raise click.UsageError("--json carries every line break; it does not go with --lines")


output_options = option_group(
    "writing",
    OutputOptions,
    click.option("--lines", is_flag=True, help="Print line breaks as they are, and a blank line after each text."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text."),
    click.option("-o", "output", type=click.Path(path_type=Path), help="Write the texts to this file."),
    click.option("--resume", is_flag=True, help="Go on with the unfinished file of -o."),
    click.option("--explain", is_flag=True, help="Show how each word was chosen; a page with -o FILE.html."),
    click.option("--stream", is_flag=True, help="Print each word as soon as it is chosen."),
    click.option("-q", "--quiet", is_flag=True, help="Keep device, seed and progress off stderr."),
)
