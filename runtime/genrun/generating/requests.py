"""The prompts of one call on their way: taken from the caller, and kept in order until their texts are finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from genrun.generating.row import Row
from genrun.tokenizer import Encoding

__all__ = ["Request", "RequestQueue"]


@dataclass(slots=True, eq=False)
class Request:
    """One text that was asked for: its prompt, the number of its sample, and the row that generates it."""

    prompt: str
    encoding: Encoding
    sample: int
    row: Row


class RequestQueue:
    """Hands out the rows of ``requests``, and the finished requests in their order.

    At most about ``size`` requests wait for an earlier one. ``refused`` is what the caller's prompts raised.
    """

    def __init__(self, requests: Iterator[Request], size: int) -> None:
        self.refused: Exception | None = None
        self._requests = requests
        self._size = size
        self._open: dict[Row, Request] = {}  # in the order of the prompts

    def take(self, count: int) -> list[Row]:
        """Return at most ``count`` more rows."""
        if self.refused or len(self._open) > self._size:  # a slow row holds back the results of those behind it
            return []
        taken: list[Row] = []
        try:
            for request in islice(self._requests, count):
                self._open[request.row] = request
                taken.append(request.row)
        except Exception as error:  # a bad prompt must not take those before it along
            self.refused = error
        return taken

    def finished(self) -> Iterator[Request]:
        """Yield the finished requests for which no earlier one is open."""
        while self._open and (first := next(iter(self._open))).finish_reason:
            yield self._open.pop(first)
