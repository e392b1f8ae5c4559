"""``genrun info``."""

from __future__ import annotations

import json

import click

from genrun.cli.texts import printable

__all__ = ["command"]


@click.command("info")
@click.argument("model_file", metavar="MODEL", type=str)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(model_file: str, as_json: bool) -> None:
    """Show what MODEL says about itself: its card, its defaults, and how its export was verified."""
    from genrun.description import describe_model
    from genrun.model import load

    described = describe_model(load(model_file, device="cpu"))
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False))
        return
    for section, values in described.items():
        click.secho(section, bold=True)
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            click.echo(f"  {printable(name):{width}}  {printable(text)}")
