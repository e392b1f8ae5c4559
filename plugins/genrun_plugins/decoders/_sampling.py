"""What the sampling decoders share: the check of a temperature."""

from __future__ import annotations

import math

from genrun.errors import OptionError

__all__ = ["check_temperature"]


def check_temperature(temperature: float) -> None:
    """Raise OptionError unless ``temperature`` is a finite number above 0."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise OptionError(
            f"temperature must be a number above 0, not {temperature!r}; "
            "for the most likely token every time there is the decoder 'greedy'"
        )
