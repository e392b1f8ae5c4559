"""``genrun generate --ray``: texts for a folder of Parquet files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from genrun.cli.cluster_options import ClusterOptions
from genrun.cli.io.output import say
from genrun.cli.io.text_folder import begin_folder, recorded_settings
from genrun.cli.io.text_output import about_texts
from genrun.cli.opening_options import OpeningOptions
from genrun.integrations.job import TextJob
from genrun.integrations.parquet_folder import digest_of, find_parts, remove_leftovers
from genrun.integrations.ray_folder import write_parts
from genrun.integrations.table_form import TableOptions, check_settings

if TYPE_CHECKING:
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model

__all__ = ["seed_of", "write_folder"]

_MOST_REASONS = 5


def seed_of(output: Path) -> int | None:
    """Return the seed of the texts that were begun in ``output``, None if there are none."""
    recorded: Mapping[str, int | None] = recorded_settings(output) or {}
    return recorded.get("seed")


def write_folder(
    model: Model,
    cluster: ClusterOptions,
    settings: GenerationSettings,
    samples: int,
    opening: OpeningOptions,
    output: Path,
    *,
    resume: bool,
    quiet: bool,
) -> None:
    """Write the texts for the files of ``cluster.folder`` to the folder ``output``; say how far it is."""
    threads = opening.threads or 1
    check_settings(settings)
    options, path = TableOptions(column=cluster.column, n=samples), str(model.path.absolute())
    job = TextJob(path, model.digest, settings, options, opening.device, threads, opening.trust)
    parts = find_parts(cluster.folder, output, job)
    about = about_texts(model, settings, samples, "parquet")
    begin_folder(output, {**about, "column": cluster.column, "prompts": digest_of(parts, output)}, resume=resume)
    remove_leftovers(output)
    left = [part for part in parts if not Path(part.output).exists()]
    if not left:
        say(f"{output} is finished")
        return
    if not quiet:
        say(f"{sum(part.rows for part in left):,} prompts in {len(left):,} of {len(parts):,} parts")
    texts, errors = 0, Counter[str]()
    for done, part in enumerate(
        write_parts(left, job, actors=cluster.actors, cpus=threads, gpus=cluster.gpus), start=1
    ):
        texts, errors = texts + part.texts, errors + Counter(part.errors)
        if not quiet:
            say(f"{done:,} of {len(left):,} parts, {texts:,} texts")
    for reason, count in errors.most_common(_MOST_REASONS):
        say(f"note: no text for {count:,} {'prompt' if count == 1 else 'prompts'}: {reason}")
    if len(errors) > _MOST_REASONS:
        count = sum(errors.values()) - sum(count for _, count in errors.most_common(_MOST_REASONS))
        say(f"note: no text for {count:,} more; the column 'error' says why")
