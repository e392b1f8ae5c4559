"""How a distribution was installed, and what to type to add to genrun or to renew it the same way."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from importlib import metadata

__all__ = ["Origin", "origin_of", "pip_line", "requirement", "upgrade_line"]

_NAME = "genrun"


class Origin(NamedTuple):
    """Where a distribution was installed from.

    ``kind``: ``index`` (a package index; also if nothing is known), ``editable`` (a folder that is used in place),
    ``folder``, ``file`` (a wheel or an archive), or ``address``. ``where``: the folder, file or address.
    """

    kind: str
    where: str = ""


def origin_of(distribution: metadata.Distribution | None) -> Origin:
    """Return the origin that is recorded for ``distribution`` (``direct_url.json``, PEP 610).

    Without a record of an installer, it is the folder that contains the distribution.
    """
    try:
        recorded = distribution.read_text("direct_url.json") if distribution is not None else None
        if recorded:
            return _recorded(json.loads(recorded))
        if distribution is not None and not distribution.read_text("INSTALLER"):
            return Origin("editable", str(distribution.locate_file("")))
    except Exception:  # damaged metadata
        return Origin("index")
    return Origin("index")


def _recorded(record: dict[str, Any]) -> Origin:
    address = str(record["url"])
    parts = urlsplit(address)
    if parts.scheme == "file":
        path = unquote(parts.path)[1 if os.name == "nt" else 0 :]  # /C:/…
        if "dir_info" not in record:
            return Origin("file", path)
        return Origin("editable" if record["dir_info"].get("editable") else "folder", path)
    if "vcs_info" in record:
        version = record["vcs_info"].get("requested_revision")
        return Origin("address", f"{record['vcs_info']['vcs']}+{address}{f'@{version}' if version else ''}")
    return Origin("address", address)


def requirement(extra: str, origin: Origin | None = None) -> str:
    """Return what pip is to install for genrun with ``extra``, quoted for a shell.

    ``origin``: where genrun was installed from; None looks that up.

    >>> requirement("train", Origin("index"))
    "'genrun[train]'"
    >>> requirement("cpu", Origin("file", "/tmp/genrun-1.0-py3-none-any.whl"))
    "'/tmp/genrun-1.0-py3-none-any.whl[cpu]'"
    """
    kind, where = _of_genrun() if origin is None else origin
    if kind == "address":
        return _quoted(f"{_NAME}[{extra}] @ {where}")
    if kind == "index":
        return _quoted(f"{_NAME}[{extra}]")
    return _quoted(f"{'.' if _is_here(where) else where}[{extra}]")


def pip_line(extra: str, origin: Origin | None = None, *, options: str = "") -> str:
    """Return the command that adds ``extra`` to genrun, from where genrun itself was installed.

    >>> pip_line("train", Origin("index"))
    "pip install 'genrun[train]'"
    >>> pip_line("gpu", Origin("address", "git+https://example.org/genrun@main"), options="--force-reinstall")
    "pip install --force-reinstall 'genrun[gpu] @ git+https://example.org/genrun@main'"
    """
    origin = _of_genrun() if origin is None else origin
    words = ["pip install", options, "-e" if origin.kind == "editable" else "", requirement(extra, origin)]
    return " ".join(filter(None, words))


def upgrade_line(origin: Origin | None = None) -> str:
    """Return what to do for a newer genrun.

    >>> upgrade_line(Origin("index")), upgrade_line(Origin("editable", "/home/me/genrun"))
    ('pip install --upgrade genrun', 'update the clone /home/me/genrun')
    """
    kind, where = _of_genrun() if origin is None else origin
    if kind == "editable":
        return f"update the clone {where}"
    if kind == "folder":
        return f"update {where}, then pip install {_quoted(where)}"
    if kind == "file":
        return f"install a newer wheel than {where}"
    return f"pip install --upgrade {_NAME if kind == 'index' else _quoted(f'{_NAME} @ {where}')}"


def _of_genrun() -> Origin:
    """Return the origin of the genrun that runs; the path may have metadata of another one, such as a clone's."""
    from importlib import metadata

    package = Path(__file__).resolve().parents[1]
    for distribution in metadata.distributions(name=_NAME):
        origin = origin_of(distribution)
        home = Path(origin.where if origin.kind == "editable" else str(distribution.locate_file(""))).resolve()
        if package in (home / _NAME, home / "runtime" / _NAME):
            return origin
    return Origin("index")  # not installed, only on the path


def _is_here(folder: str) -> bool:
    try:
        return os.path.samefile(folder, os.curdir)
    except OSError:
        return False


def _quoted(text: str) -> str:
    return f'"{text}"' if os.name == "nt" else shlex.quote(text)
