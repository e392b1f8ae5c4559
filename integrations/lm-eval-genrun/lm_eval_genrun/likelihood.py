"""The log-likelihood of a text, which also knows how many tokens were predicted."""

from __future__ import annotations

from typing import Self

__all__ = ["Likelihood"]


class Likelihood(float):
    """A log-likelihood: a natural logarithm, and the number of predicted ``tokens``.

    lm-eval passes it on as a number; a task that wants the perplexity of a token finds ``tokens``.

    >>> found = Likelihood(-6.0, 3)
    >>> found / found.tokens
    -2.0
    """

    tokens: int

    def __new__(cls, value: float, tokens: int = 0) -> Self:
        """Make a number with a number of tokens."""
        made = super().__new__(cls, value)
        made.tokens = tokens
        return made
