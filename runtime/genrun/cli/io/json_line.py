"""A JSON document as one line of output."""

from __future__ import annotations

import json
import math
from typing import Any

from genrun.checks.printable import escape_json

__all__ = ["json_line"]


def json_line(value: Any, encoding: str = "utf-8") -> str:
    r"""Return ``value`` as one line of JSON that any program reads and ``encoding`` can write.

    Texts are kept exactly. NaN and infinity, which JSON lacks, become null.

    >>> print(json_line({"text": "é\x9b", "worst": float("-inf")}))
    {"text": "é\u009b", "worst": null}
    """
    try:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        line = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    line = escape_json(line)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(json.loads(line))
    return line


def _finite(value: Any) -> Any:
    """Return a JSON value with None instead of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
