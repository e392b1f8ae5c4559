"""The command line: commands parse, call one library function, and print.

Text goes to stdout, everything else to stderr. Exit status 0 done, 1 an error of the data's or the machine's (one
line), 2 wrong usage, 130 and 143 stopped by Ctrl-C and SIGTERM.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what typing says, without its import
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["main"]

_OBJECTS = 20_000  # made between two searches for garbage; with Python's 700, importing NumPy alone makes a hundred


def main() -> NoReturn:
    """Run the ``genrun`` command."""
    from genrun.cli.io import signals  # the standard library alone

    try:
        signals.handle()
        import gc

        gc.set_threshold(_OBJECTS)
        from genrun.cli.group import run

        try:
            run()
        finally:
            gc.freeze()  # the process ends: nothing is gained by looking for garbage, as the interpreter would
    finally:
        signals.forget()
        if (number := signals.received()) is not None:  # whatever was made of the exception that it raised
            signals.end(number)
