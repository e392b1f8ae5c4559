"""Which decoder a recipe gives to its models, by the kind of their tokens."""

from __future__ import annotations

import dataclasses

from genrun_core.recipes.sections import PluginChoice

__all__ = ["fitting_decoder"]


def fitting_decoder(choice: PluginChoice, kind: str) -> PluginChoice:
    """Return ``choice`` with the option to repeat a token, unless tokens are words: letters are doubled.

    >>> dict(fitting_decoder(PluginChoice("top-p", {"repeats": False}), "char").options)
    {'repeats': True}
    """
    if kind == "word" or choice.options.get("repeats", True):
        return choice
    return dataclasses.replace(choice, options={**choice.options, "repeats": True})
