"""The command line: commands parse, call one library function, and print.

Text goes to stdout, everything else to stderr. Exit status 0 done, 1 an error of the user's or the data's (one
line), 2 wrong usage.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``genrun`` command."""
    from genrun.cli.group import run

    run()
