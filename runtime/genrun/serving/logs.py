"""The log of a server: a JSON object or a short line for each request, without its prompt and its text."""

from __future__ import annotations

import json
import logging
import time
import traceback
from typing import Any, Literal

from starlette.types import Scope

from genrun.checks.printable import printable
from genrun.errors import cause
from genrun.serving.names import HEALTH, path_of

__all__ = ["LogFormat", "log_error", "log_request", "set_up_logs"]

LogFormat = Literal["json", "text", "none"]

# asyncio warns of each piece that is sent to a client that has left.
_LEVELS = {"genrun.serving": logging.INFO, "uvicorn": logging.WARNING, "asyncio": logging.ERROR}
_LOGGER = logging.getLogger("genrun.serving")


def set_up_logs(form: LogFormat) -> None:
    """Write the server's log, and uvicorn's warnings, to standard error. For a process that only serves."""
    for name in _LEVELS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.setLevel(_LEVELS[name])
        if form == "none":
            logger.setLevel(logging.CRITICAL + 1)
            logger.addHandler(logging.NullHandler())
            continue
        handler = logging.StreamHandler()
        handler.setFormatter(_Json() if form == "json" else _Text())
        logger.addHandler(handler)


def log_request(scope: Scope, name: str, status: int, seconds: float, facts: dict[str, Any]) -> None:
    """Write the line of a request; ``facts``: what its endpoint knows of it. Health and metrics only if they fail."""
    if path_of(scope) in (*HEALTH, "/metrics") and status < 400:
        return
    if not _LOGGER.isEnabledFor(logging.INFO):
        return
    client = (scope.get("client") or ("",))[0]
    about = {"request_id": name, "client": client, "method": scope["method"], "path": scope["path"][:200]}
    fields = {**about, "status": status, "seconds": round(seconds, 4), **facts}
    _LOGGER.info("request", extra={"fields": fields})


def log_error(name: str, error: BaseException) -> None:
    """Write an error that is not the client's, with its traceback."""
    where = "".join(traceback.format_exception(error))
    _LOGGER.error("error", extra={"fields": {"request_id": name, "error": cause(error), "traceback": where}})


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {"time": f"{at}.{int(record.msecs):03}Z", "level": record.levelname.lower()}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        event = {**fields, "event": record.getMessage(), **getattr(record, "fields", {})}
        return json.dumps(event, ensure_ascii=True, default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        if fields is None:
            return printable(f"{record.levelname.lower()}: {record.getMessage()}")
        if "traceback" in fields:
            return "\n".join(map(printable, fields["traceback"].splitlines()))
        extra = " ".join(f"{key}={value}" for key, value in fields.items() if key not in _SHOWN)
        line = "{method} {path} {status} {seconds}s".format(**fields) if "path" in fields else record.getMessage()
        return printable(f"{line} {extra}".rstrip())


_SHOWN = frozenset(("method", "path", "status", "seconds", "request_id", "client"))
