"""The command line: commands parse, call one library function, and print.

Text goes to stdout, everything else to stderr. Exit status 0 done, 1 an error of the user's or the data's (one
line), 2 wrong usage.
"""

from __future__ import annotations

__all__ = ["main"]

_OBJECTS = 20_000  # made between two searches for garbage; with Python's 700, importing NumPy alone makes a hundred


def main() -> None:
    """Run the ``genrun`` command."""
    import gc

    gc.set_threshold(_OBJECTS)
    from genrun.cli.group import run

    try:
        run()
    finally:
        gc.freeze()  # the process ends: nothing is gained by looking for garbage, as the interpreter would
