"""Times as a person says them."""

from __future__ import annotations

__all__ = ["about"]


def about(seconds: float) -> str:
    """Return a duration, rounded as an estimate is.

    >>> about(0.3), about(8), about(48), about(100), about(400), about(9000)
    ('a second', '8 seconds', '50 seconds', '2 minutes', '7 minutes', '2.5 hours')
    """
    if seconds < 1.5:
        return "a second"
    if seconds < 10:
        return f"{seconds:.0f} seconds"
    if seconds < 55:
        return f"{round(seconds / 10) * 10:.0f} seconds"
    if seconds < 90:
        return "a minute"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours".replace(".0 ", " ")
