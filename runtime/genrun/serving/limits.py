"""What a server accepts at most."""

from __future__ import annotations

from dataclasses import dataclass, fields

from genrun.errors import OptionError

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server; a request beyond one of them is refused, and the answer names the limit.

    ``rows``: texts that are generated at the same time. ``queue``: further texts that wait for a row.
    ``queue_seconds``: how long a text waits at most. ``prompt_tokens`` and ``new_tokens``: of one text. ``texts``: of
    one request, all prompts and samples. ``body_bytes`` and ``body_seconds``: of one request, and how long it may
    take to arrive. ``stall_seconds``: how long a client of ``genrun serve`` may take nothing of an answer that waits,
    or need for the head of a request. Raises OptionError for a limit that is not above 0; ``queue`` may be 0.
    """

    rows: int = 128
    queue: int = 512
    queue_seconds: float = 30.0
    prompt_tokens: int = 4096
    new_tokens: int = 4096
    texts: int = 128
    body_bytes: int = 2**20
    body_seconds: float = 30.0
    stall_seconds: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (value > 0 or (value == 0 and field.name == "queue")):
                raise OptionError(f"{field.name} must be above 0, not {value}")
