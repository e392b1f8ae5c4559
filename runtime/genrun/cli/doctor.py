"""``genrun doctor``."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Look for what would keep genrun from working here, and print what to type to repair it.

    Exit status 0 if nothing is wrong, 1 if something is.
    """
    from genrun.cli.io.output import show, show_json
    from genrun.diagnosing.doctor import diagnose

    findings = diagnose()
    problems = sum(finding.level == "problem" for finding in findings)
    width = max(len(finding.about) for finding in findings)
    for finding in findings:
        if as_json:
            show_json(finding.to_json())
            continue
        show(f"{finding.level:7}  {finding.about:{width}}  {finding.message}")
        if finding.remedy:
            show(f"{'':7}  {'':{width}}  → {finding.remedy}")
    if not as_json:
        show(f"{problems} problem{'s' if problems != 1 else ''}" if problems else "nothing is wrong")
    context.exit(1 if problems else 0)
