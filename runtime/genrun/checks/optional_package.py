"""Importing a package that not every installation has."""

from __future__ import annotations

import importlib
from typing import Any

from genrun.errors import MissingExtraError

__all__ = ["optional_package"]


def optional_package(module: str, purpose: str, extra: str) -> Any:
    """Return ``module``; raises MissingExtraError, with the pip command for ``extra``, if it is not installed.

    >>> optional_package("json", "this example", "example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != name:
            raise
        raise MissingExtraError(f"{purpose} needs {name}", extra) from error
