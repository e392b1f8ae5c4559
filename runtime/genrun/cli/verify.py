"""``genrun verify``."""

from __future__ import annotations

import click

from genrun.cli.options.opening import OpeningOptions, opening_options

__all__ = ["command"]

_SHOWN = 3  # differences; more add nothing


@click.command("verify")
@click.argument("model_file", metavar="MODEL", type=str)
@opening_options
def command(model_file: str, opening: OpeningOptions) -> None:
    """Replay the golden texts that MODEL carries, here and on this device."""
    from genrun.cli.io.output import say, show
    from genrun.errors import ModelFileError
    from genrun.scoring.verification import verify

    model = opening.load(model_file)
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
