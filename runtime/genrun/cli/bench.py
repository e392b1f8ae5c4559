"""``genrun bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genrun.cli.options.decoder import DecoderOptions, decoder_options
from genrun.cli.options.opening import OpeningOptions, opening_options

if TYPE_CHECKING:
    from genrun.diagnosing.speed.measuring import Measurement
    from genrun.diagnosing.speed.setup import Setup

__all__ = ["command"]

_HEADER = "batch  tokens/s  p50 ms  p95 ms  p99 ms   model  choosing  Python  chosen in    memory"


@click.command("bench")
@click.argument("model_file", metavar="MODEL", type=str)
@click.option("--batch", "batches", type=int, multiple=True, help="Texts at a time; repeatable. [default: 1, 8, 64]")
@decoder_options
@click.option("--seconds", type=float, help="Approximate time for each batch size. [default: 3]")
@click.option("--tokens", type=int, help="Instead of --seconds: at least this many tokens for each batch size.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each batch size.")
def command(
    model_file: str,
    batches: tuple[int, ...],
    choosing: DecoderOptions,
    seconds: float | None,
    tokens: int | None,
    opening: OpeningOptions,
    as_json: bool,
) -> None:
    """Measure how fast MODEL generates, and the shares of the time that model, choosing and Python take."""
    from genrun.cli.io.output import say, show, show_json
    from genrun.diagnosing.speed.measuring import BATCH_SIZES, SECONDS, benchmark
    from genrun.diagnosing.speed.other_load import OtherLoad
    from genrun.diagnosing.speed.setup import describe_setup

    if seconds is not None and tokens is not None:
        raise click.UsageError("give --seconds or --tokens, not both")
    model = opening.load(model_file)
    settings = choosing.settings(model, seed=0)
    setup = describe_setup(model, settings)
    measured = benchmark(
        model,
        settings,
        batch_sizes=batches or BATCH_SIZES,
        seconds=SECONDS if seconds is None else seconds,
        tokens=tokens,
    )
    if not as_json:
        _say(setup)
    load = OtherLoad()
    for number, measurement in enumerate(measured):
        if as_json:
            show_json({**setup.to_json(), **measurement.to_json()})
            continue
        if not number:
            show(_HEADER)
        show(_row(measurement))
    if not as_json and (note := load.note()):
        say(f"note: {note}")


def _say(setup: Setup) -> None:
    """Print on stderr what is measured, and on which machine."""
    from genrun.cli.io.output import say

    shape = f"{setup.architecture}, vocabulary {setup.vocabulary:,}".removeprefix(", ")
    for line in (
        f"{setup.model}: {shape}, {setup.bytes / 2**20:.1f} MiB",
        setup.decoder,
        f"{setup.device} ({setup.device_reason}), {setup.cpu}, threads {setup.threads}, "
        f"onnxruntime {setup.onnxruntime}",
    ):
        say(line)


def _row(measurement: Measurement) -> str:
    """Return a line of the table."""
    peak = "-" if measurement.peak_mebibytes is None else f"{measurement.peak_mebibytes:.0f} MiB"
    waits = (measurement.p50_milliseconds, measurement.p95_milliseconds, measurement.p99_milliseconds)
    shown = "".join(f"{wait:8.3f}" for wait in waits)
    shares = f"{measurement.model_share:8.1%}{measurement.choosing_share:10.1%}{measurement.python_share:8.1%}"
    figures = f"{measurement.batch_size:5}{measurement.tokens_per_second:10,.0f}{shown}{shares}"
    return f"{figures}{measurement.chosen_in:>11}{peak:>10}"
