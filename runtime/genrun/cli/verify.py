"""``genrun verify``."""

from __future__ import annotations

import click

from genrun.cli.devices import device_options

__all__ = ["command"]

_SHOWN = 3  # differences; the first few say it all


@click.command("verify")
@click.argument("model_file", metavar="MODEL", type=str)
@device_options
def command(model_file: str, device: str, threads: int | None) -> None:
    """Replay the golden texts that MODEL carries, here and on this device."""
    from genrun.cli.output import say, show
    from genrun.errors import ModelFileError
    from genrun.model import load
    from genrun.verification import verify

    model = load(model_file, device=device, threads=threads)
    report = verify(model)
    for difference in report.differences[:_SHOWN]:
        say(difference)
    if len(report.differences) > _SHOWN:
        say(f"… and {len(report.differences) - _SHOWN} more")
    if not report.texts:
        raise ModelFileError(f"{model_file} carries no golden texts, so there is nothing to replay")
    if not report.passed:
        raise ModelFileError(f"{model_file}: {len(report.differences)} differences in {report.texts} golden texts")
    show(f"{report.texts} golden texts reproduced, alone and in a batch, on {model.device} ({model.device_reason})")
