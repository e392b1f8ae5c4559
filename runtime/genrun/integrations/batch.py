"""Texts for the prompts of an Arrow table: one pure function, which every cluster calls.

A row's text is a function of the model file, the settings, the seed, the prompt and the number of the sample. So the
rows are the same however a table is divided, and however often a part of it is done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from genrun.errors import OptionError, PromptError, one_line
from genrun.generating.generator import TextGenerator
from genrun.generating.settings import Choices, GenerationSettings
from genrun.integrations.table_form import TableOptions, check_settings, import_arrow, new_columns, table_schema
from genrun.model import Model
from genrun.results import Result

if TYPE_CHECKING:
    import pyarrow

__all__ = ["TableOptions", "count_errors", "generate_table", "table_schema"]


def generate_table(
    model: Model,
    table: pyarrow.Table | pyarrow.RecordBatch,
    options: TableOptions | None = None,
    *,
    settings: GenerationSettings | None = None,
    **choices: Unpack[Choices],
) -> pyarrow.Table:
    """Return the rows of ``table``, each with a text for its prompt; with ``n`` texts, each row ``n`` times.

    The ``choices`` are the parameters of :meth:`genrun.Model.settings`; give a seed, or each call draws its own. The
    rows keep their order and their columns; new ones are behind them, null where a prompt has no text:

    - ``text``, ``continuation``: string. ``ids``: list of int32, the new tokens. ``finish_reason``: string, ``end``,
      ``stop`` or ``length``. ``unknown``: list of string, words of the prompt outside the vocabulary.
    - ``log_probability``: double, natural logarithm, four digits and at most three decimals.
    - ``copied_run``: int32, ``is_training_line``: bool, as in :class:`genrun.Result`.
    - ``sample``: int32 from 0. ``seed``: int64. ``model``: string, the digest of the model file.
    - ``error``: string, why a prompt has no text: it is null or too long, or a text cannot begin with it.

    On a CPU, the same rows come back whatever other rows are in the table. Raises OptionError for a table without the
    column, or with one of the new ones, and what :meth:`genrun.Model.settings` raises; MissingExtraError without
    pyarrow.
    """
    pa, options = import_arrow(), options or TableOptions()
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if settings is None:
        settings = model.settings(**choices)
    elif choices:
        raise OptionError(f"give either settings or {', '.join(sorted(choices))}, not both")
    check_settings(settings)
    schema = table_schema(table.schema, options)
    outcomes = _outcomes(model, _prompts(table, options.column), options, settings)
    rows, results, errors = [], list[Result | None](), list[str | None]()
    for row, outcome in enumerate(outcomes):
        found: Sequence[Result | None] = [None] if isinstance(outcome, str) else outcome
        rows += [row] * len(found)
        results += found
        errors += [outcome if isinstance(outcome, str) else None] * len(found)
    added = new_columns(results, errors, settings.seed, model.digest or None)
    types = schema.types[table.num_columns :]
    arrays = [pa.array(values, kind) for values, kind in zip(added, types, strict=True)]
    kept = table if rows == list(range(len(table))) else table.take(pa.array(rows, pa.int64()))
    return pa.Table.from_arrays([*kept.columns, *arrays], schema=schema)


def count_errors(table: pyarrow.Table, prefix: str = "") -> dict[str, int]:
    """Return how many rows of a table have no text, by reason, the most frequent first.

    >>> import pyarrow
    >>> count_errors(pyarrow.table({"error": ["the prompt is null", None, "the prompt is null"]}))
    {'the prompt is null': 2}
    """
    errors = table.column(f"{prefix}error").to_pylist()
    return dict(Counter(error for error in errors if error is not None).most_common())


def _prompts(table: Any, column: str) -> list[str | UnicodeDecodeError | None]:
    values = table.column(column)
    try:
        return list(values.to_pylist())
    except UnicodeDecodeError:  # Arrow does not look at what another program wrote
        return [_text_or_error(value) for value in values]


def _text_or_error(value: Any) -> str | UnicodeDecodeError | None:
    try:
        text: str | None = value.as_py()
    except UnicodeDecodeError as error:
        return error
    return text


def _outcomes(
    model: Model,
    prompts: Sequence[str | UnicodeDecodeError | None],
    options: TableOptions,
    settings: GenerationSettings,
) -> list[list[Result] | str]:
    """Return the results of each prompt, or why it has none."""
    outcomes: list[list[Result] | str] = [_refusal(model, prompt, options, settings) or [] for prompt in prompts]
    good = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, str)]
    generator = model._generator(settings, {}).choosing_with("decoder")
    while good:
        taken = good if settings.search is None else good[:1]
        done = 0
        for results in _results(generator, [str(prompts[i]) for i in taken], options):
            outcomes[taken[done]] = results
            done += 1
            if isinstance(results, str):
                break
        if not done:
            outcomes[taken[0]] = "the search found no text"
        good = good[max(done, 1) :]
    return outcomes


def _results(generator: TextGenerator, prompts: Sequence[str], options: TableOptions) -> Iterator[list[Result] | str]:
    """Yield the results of each prompt; a prompt that is refused ends its batch, so its reason comes last."""
    group: list[Result] = []
    try:
        for result in generator.results(prompts, options.n, options.batch_size):
            if result.sample == 0 and group:
                yield group
                group = []
            group.append(result)
    except PromptError as error:
        if group:
            yield group
        yield one_line(error)
        return
    if group:
        yield group


def _refusal(
    model: Model, prompt: str | UnicodeDecodeError | None, options: TableOptions, settings: GenerationSettings
) -> str | None:
    """Return why there can be no text for ``prompt``; None if nothing is wrong with it."""
    if prompt is None:
        return "the prompt is null"
    if isinstance(prompt, UnicodeDecodeError):
        return f"the prompt is not UTF-8: {one_line(prompt)}"
    try:
        tokens = len(model.tokenizer.encode_prompt(prompt, dict(settings.labels)).ids)
    except PromptError as error:
        return one_line(error)
    most = options.max_prompt_tokens
    if most is not None and tokens > most:
        return f"the prompt has {tokens:,} tokens; at most {most:,} are accepted"
    return None
