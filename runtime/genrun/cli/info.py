"""``genrun info``."""

from __future__ import annotations

import click

from genrun.cli.opening_options import trust_option

__all__ = ["command"]


@click.command("info")
@click.argument("model_file", metavar="MODEL", type=str)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@trust_option
def command(model_file: str, as_json: bool, trust: str) -> None:
    """Show what MODEL records about itself: its card, its defaults, and how its export was verified."""
    from genrun.cli.io.json_line import json_line
    from genrun.cli.io.output import show, show_json
    from genrun.loading.description import describe_model
    from genrun.model import load

    described = describe_model(load(model_file, device="cpu", trust=trust))
    if as_json:
        show_json(described)
        return
    for section, values in described.items():
        show(section)
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            show(f"  {name:{width}}  {value if isinstance(value, str) else json_line(value)}")
