"""The command line: commands parse, call one library function, and print.

Text goes to stdout, everything else to stderr. Exit status: 0 done, 1 an error in the data or the machine (one
line), 2 wrong usage, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["main"]

_OBJECTS = 20_000  # between two garbage collections; with Python's 700, importing NumPy alone runs a hundred


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
            gc.freeze()  # the process ends: a last garbage collection would only cost time
    finally:
        signals.forget()
        if (number := signals.received()) is not None:  # even if its exception was replaced by another one
            signals.end(number)
