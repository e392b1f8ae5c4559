"""The columns of a table before and after its texts are generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrun.checks.arguments import check_count
from genrun.checks.optional_package import optional_package
from genrun.checks.short_text import shown
from genrun.errors import OptionError, nearest
from genrun.generating.generator import BATCH_SIZE
from genrun.generating.settings import GenerationSettings
from genrun.results import Result, rounded

if TYPE_CHECKING:
    import pyarrow

__all__ = ["OUTPUT_COLUMNS", "TableOptions", "check_settings", "import_arrow", "new_columns", "table_schema"]

OUTPUT_COLUMNS = (
    "text",
    "continuation",
    "ids",
    "finish_reason",
    "log_probability",
    "unknown",
    "copied_run",
    "is_training_line",
    "sample",
    "seed",
    "model",
    "error",
)
_MOST_SEED = 2**63  # Spark and most formats have no unsigned numbers


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is read and written.

    ``column``: the prompts, a column of text. ``n``: texts for each prompt. ``prefix`` stands before the name of each
    new column. ``max_prompt_tokens``: a longer prompt gets no text; None for no limit. ``batch_size``: rows that take
    a step together. Raises OptionError for a value that is not accepted.
    """

    column: str = "prompt"
    n: int = 1
    prefix: str = ""
    max_prompt_tokens: int | None = None
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        for name in ("column", "prefix"):
            if not isinstance(getattr(self, name), str):
                raise OptionError(f"{name} must be text, not {shown(getattr(self, name))}")
        check_count("n", self.n)
        check_count("batch_size", self.batch_size)
        if self.max_prompt_tokens is not None:
            check_count("max_prompt_tokens", self.max_prompt_tokens)


def table_schema(schema: pyarrow.Schema, options: TableOptions | None = None) -> pyarrow.Schema:
    """Return the schema of what :func:`generate_table` makes of a table with ``schema``; raises OptionError."""
    pa, options = import_arrow(), options or TableOptions()
    column = options.column
    if schema.names.count(column) != 1:
        many = "more than one" if column in schema.names else "no"
        raise OptionError(f"the table has {many} column {column!r} of prompts; {nearest(column, schema.names)}")
    kind = schema.field(column).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not _is_text(kind) and not pa.types.is_null(kind):
        raise OptionError(f"the column {column!r} of prompts must be of text, not {schema.field(column).type}")
    text, whole, words = pa.string(), pa.int32(), pa.list_(pa.string())
    types = [text, text, pa.list_(whole), text, pa.float64(), words, whole, pa.bool_(), whole, pa.int64(), text, text]
    for name, new in zip(OUTPUT_COLUMNS, types, strict=True):
        if options.prefix + name in schema.names:
            hint = "another prefix" if options.prefix else "a prefix, such as 'new_'"
            raise OptionError(f"the table has a column {options.prefix + name!r} already; choose {hint}")
        schema = schema.append(pa.field(options.prefix + name, new))
    return schema


def new_columns(
    results: Sequence[Result | None], errors: Sequence[str | None], seed: int, digest: str | None
) -> list[list[Any]]:
    """Return the values of the new columns, in the order of OUTPUT_COLUMNS."""
    names = OUTPUT_COLUMNS[: OUTPUT_COLUMNS.index("seed")]
    values = {name: [None if result is None else getattr(result, name) for result in results] for name in names}
    values["log_probability"] = [None if log is None else rounded(log) for log in values["log_probability"]]
    return [*values.values(), [seed] * len(results), [digest] * len(results), list(errors)]


def check_settings(settings: GenerationSettings) -> None:
    """Raise OptionError for a seed that a column of a table cannot hold."""
    if settings.seed >= _MOST_SEED:
        raise OptionError(f"the seed of a table must be from 0 to 2**63 - 1, not {settings.seed}")


def import_arrow() -> Any:
    """Return pyarrow; raises MissingExtraError."""
    return optional_package("pyarrow", "generating for the rows of a table", "parquet")


def _is_text(kind: Any) -> bool:
    types = import_arrow().types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
