"""``genrun export``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The model file to write.")
def command(run: Path, output: Path) -> None:
    """Make a model file of the run folder RUN: one .onnx that carries everything, checked against Keras."""
    from genrun_export.exporting import export

    figures = export(run, output)
    click.echo(
        f"same {figures.greedy_tokens} greedy tokens as Keras for {figures.prompts} prompts at batch "
        f"{' and '.join(map(str, figures.batch_sizes))}; largest logit difference "
        f"{figures.largest_logit_difference:.1e} (allowed {figures.tolerance:.0e})",
        err=True,
    )
    click.echo(output)
