"""The prompts of one call on their way: taken from the caller, and kept in order until their texts are finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

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
    """Hands out the rows of ``requests``, and the requests themselves once they are finished, in their order.

    At most about ``size`` wait for an earlier one. ``prompts`` are what the ``n`` requests each are made of; if they
    have a method ``waits()``, it returns whether the next one is still to come, and texts that have been begun do not
    wait for it. It is asked at every step.
    """

    def __init__(self, requests: Iterator[Request], prompts: Iterable[str], n: int, size: int) -> None:
        self.refused: Exception | None = None  # raised by the caller's prompts
        self._requests = requests
        self._waits: Callable[[], bool] = getattr(prompts, "waits", _never)
        self._size = size
        self._last_of_prompt = n - 1
        self._last = n - 1  # the sample that was taken last; behind it comes another prompt
        self._open: dict[Row, Request] = {}  # in the order of the prompts
        self._unfinished = 0

    def take(self, count: int) -> list[Row]:
        """Return at most ``count`` more rows."""
        if self.refused or len(self._open) > self._size:  # a slow row holds back the results of those behind it
            return []
        taken: list[Row] = []
        try:
            late = self._unfinished > 0 and self._is_late()
            while not late and len(taken) < count:
                if (request := next(self._requests, None)) is None:
                    break
                self._open[request.row], self._last = request, request.sample
                taken.append(request.row)
                late = self._is_late()
        except Exception as error:  # a bad prompt must not take those before it along
            self.refused = error
        self._unfinished += len(taken)
        return taken

    def finish_one(self) -> Iterator[Request]:
        """Count one more finished row; yield the finished requests for which no earlier one is open."""
        self._unfinished -= 1
        while self._open and (first := next(iter(self._open))).finish_reason:
            yield self._open.pop(first)

    def _is_late(self) -> bool:
        return self._last == self._last_of_prompt and self._waits()


def _never() -> bool:
    return False
