"""The errors of a request, as the OpenAI API writes them."""

from __future__ import annotations

from typing import Any

__all__ = ["ClientLeft", "Refused"]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


class ClientLeft(Exception):
    """The client closed its connection before the answer was complete."""


class Refused(Exception):
    """A request is answered with an error: an HTTP ``status`` and a message of one line.

    ``param``: the field of the body that is the reason. ``code``: a word that programs can compare.
    ``retry_after``: seconds after which the request may be tried again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)

    def to_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
