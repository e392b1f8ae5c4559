"""``python -m genrun`` is the ``genrun`` command."""

from __future__ import annotations

from genrun.cli import main

main()
