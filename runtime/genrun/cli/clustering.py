"""``genrun generate --ray``: texts for a folder of Parquet files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from genrun.cli.io.output import say
from genrun.cli.io.text_folder import begin_folder, recorded_settings
from genrun.cli.io.text_output import about_texts
from genrun.cli.options.cluster import ClusterOptions
from genrun.cli.options.opening import OpeningOptions
from genrun.cli.options.output import OutputOptions
from genrun.cli.options.text import SettingsFor
from genrun.integrations.job import TextJob
from genrun.integrations.parquet_folder import digest_of, find_parts, remove_leftovers
from genrun.integrations.ray_folder import write_parts
from genrun.integrations.table_form import TableOptions, check_settings

__all__ = ["write_folder"]

_MOST_REASONS = 5


def write_folder(
    model_file: str,
    opening: OpeningOptions,
    settings_for: SettingsFor,
    samples: int,
    cluster: ClusterOptions,
    output: Path,
    writing: OutputOptions,
) -> None:
    """Write the texts for the files of ``cluster.folder`` to the folder ``output``; say how far it is."""
    model = opening._replace(device="cpu", threads=1).load(model_file)  # to check; the actors use the device
    recorded: Mapping[str, int | None] = (recorded_settings(output) if writing.resume else None) or {}
    settings = settings_for(model, recorded.get("seed"))
    if not writing.quiet:
        say(f"seed {settings.seed}")
    threads = opening.threads or 1
    check_settings(settings)
    options, path = TableOptions(column=cluster.column, n=samples), str(model.path.absolute())
    job = TextJob(path, model.digest, settings, options, opening.device, threads, opening.trust)
    parts = find_parts(cluster.folder, output, job)
    about = about_texts(model, settings, samples, "parquet")
    begin_folder(
        output, {**about, "column": cluster.column, "prompts": digest_of(parts, output)}, resume=writing.resume
    )
    remove_leftovers(output)
    left = [part for part in parts if not Path(part.output).exists()]
    if not left:
        say(f"{output} is finished")
        return
    if not writing.quiet:
        say(f"{sum(part.rows for part in left):,} prompts in {len(left):,} of {len(parts):,} parts")
    texts, errors = 0, Counter[str]()
    for done, part in enumerate(
        write_parts(left, job, actors=cluster.actors, cpus=threads, gpus=cluster.gpus), start=1
    ):
        texts, errors = texts + part.texts, errors + Counter(part.errors)
        if not writing.quiet:
            say(f"{done:,} of {len(left):,} parts, {texts:,} texts")
    for reason, count in errors.most_common(_MOST_REASONS):
        say(f"note: no text for {count:,} {'prompt' if count == 1 else 'prompts'}: {reason}")
    if len(errors) > _MOST_REASONS:
        count = sum(errors.values()) - sum(count for _, count in errors.most_common(_MOST_REASONS))
        say(f"note: no text for {count:,} more; the column 'error' says why")
