"""A folder of Parquet files, divided into parts of some thousand rows, each of which becomes a file with texts.

A part's file is written beside its place and then renamed, so it is complete or not there, and what a kill leaves
can be continued.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrun.checks.optional_package import optional_package
from genrun.errors import GenrunError, OptionError, one_line
from genrun.integrations.batch import count_errors
from genrun.integrations.job import TextJob
from genrun.integrations.table_form import import_arrow

__all__ = ["Part", "digest_of", "find_parts", "remove_leftovers", "write_part"]

_ROWS = 8192  # of a part


@dataclass(frozen=True, slots=True)
class Part:
    """Rows ``first`` to ``first + rows`` of the file ``source``, and the file ``output`` for their texts."""

    source: str
    first: int
    rows: int
    output: str


def find_parts(folder: Path, output: Path, job: TextJob, *, rows: int = _ROWS) -> list[Part]:
    """Return the parts of the Parquet files in ``folder`` and the folders in it; at most ``rows`` rows each.

    Hidden files, and those whose names begin with an underscore, are passed over. Raises OptionError for a folder
    without files, and for a file without the column of prompts, GenrunError for one that cannot be read.
    """
    if not folder.is_dir():
        raise OptionError(f"{folder} is not a folder of Parquet files")
    parts: list[Part] = []
    for file in sorted(folder.rglob("*.parquet")):
        name = file.relative_to(folder)
        if any(part.startswith((".", "_")) for part in name.parts):
            continue
        with _opened(file) as opened:
            count = opened.metadata.num_rows
            try:
                job.schema(opened.schema_arrow)
            except OptionError as error:
                raise OptionError(f"{file}: {error}") from None
        for number, first in enumerate(range(0, max(count, 1), rows)):
            place = output / name.with_name(f"{name.stem}-{number:05}.parquet")
            parts.append(Part(str(file.absolute()), first, min(rows, count - first), str(place.absolute())))
    if not parts:
        raise OptionError(f"{folder} has no .parquet file")
    return parts


def digest_of(parts: Sequence[Part], output: Path) -> str:
    """Return a digest of where the parts begin and end, and of the sizes of their files."""
    values = [
        (os.path.relpath(part.output, output), part.first, part.rows, os.stat(part.source).st_size) for part in parts
    ]
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()


def remove_leftovers(output: Path) -> None:
    """Remove unfinished files of killed workers from the folder of texts; no worker may be running."""
    for left in output.rglob(".*.parquet.*.tmp"):
        left.unlink(missing_ok=True)


def write_part(part: Part, job: TextJob) -> tuple[int, dict[str, int]]:
    """Write the texts of ``part``; return how many rows have one, and how many have none, by reason.

    Raises GenrunError for a file that cannot be read, OSError for one that cannot be written.
    """
    parquet = _import_parquet()
    with _opened(Path(part.source)) as opened:
        prompts = _rows_of(opened, part)
    table = job.table(prompts)
    output = Path(part.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".{output.name}.{secrets.token_hex(4)}.tmp")
    try:
        parquet.write_table(table, beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(output)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    errors = count_errors(table, job.options.prefix)
    return len(table) - sum(errors.values()), errors


def _rows_of(opened: Any, part: Part) -> Any:
    """Return the rows of ``part`` as a table, reading only the groups that they are in."""
    groups, before, first = [], 0, None
    for group in range(opened.metadata.num_row_groups):
        count = opened.metadata.row_group(group).num_rows
        if before < part.first + part.rows and part.first < before + count:
            first = before if first is None else first
            groups.append(group)
        before += count
    return opened.read_row_groups(groups).slice(part.first - (first or 0), part.rows)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """Open a Parquet file; raises GenrunError for one that is damaged or not there."""
    pa = import_arrow()
    try:
        with file.open("rb") as content, _import_parquet().ParquetFile(content) as opened:
            yield opened
    except OSError as error:
        raise GenrunError(f"{file}: {error.strerror or one_line(error)}") from error
    except pa.ArrowException as error:
        raise GenrunError(f"{file}: not a Parquet file, or a damaged one: {one_line(error)}") from error


def _import_parquet() -> Any:
    return optional_package("pyarrow.parquet", "reading a folder of Parquet files", "parquet")
