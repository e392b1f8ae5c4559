"""The errors of a request, as the OpenAI API writes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from genrun.errors import GenrunError, OptionError, PluginError, PromptError, UnknownPluginError, one_line

__all__ = ["ClientLeft", "Refused", "naming", "refused_by"]

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


def refused_by(error: Exception, param: str | None = None) -> Refused:
    """Return the refusal for an error of the library: what was asked for is not accepted, or the server failed."""
    wrong = isinstance(error, (OptionError, UnknownPluginError)) and not isinstance(error, PluginError)
    return Refused(400 if wrong else 500, one_line(error), param=param if wrong else None)


@contextlib.contextmanager
def naming(field: str) -> Iterator[None]:
    """Raise an error of the library as the refusal of a ``field`` of the body; one about the prompt names that."""
    try:
        yield
    except GenrunError as error:
        raise refused_by(error, "prompt" if isinstance(error, PromptError) else field) from error
