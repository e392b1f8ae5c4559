"""The page at ``/``: the playground, whose files are those of ``genrun_web``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["PAGE_HEADERS", "page_routes"]

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What lets a browser load nothing from elsewhere, and no page of another site show this one."""

_PLAIN = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>genrun</title>
<h1>genrun</h1>
<p>This server completes texts. Its <a href="openapi.json">API</a> has the shape of the OpenAI API, with the address
of this page and <code>/v1</code> as its base. The playground is not installed.</p>
</html>
"""


def page_routes(package: str = "genrun_web") -> list[BaseRoute]:
    """Return the routes of the page: the files of ``package``, or a plain page where they are not installed."""
    try:
        found = resources.files(package)
    except ModuleNotFoundError:
        return [Route("/", _plain)]
    page = found / "playground" if isinstance(found, Path) else None
    if not isinstance(page, Path) or not (page / "index.html").is_file():
        return [Route("/", _plain)]
    return [Mount("/", _Files(directory=page, html=True))]


class _Files(StaticFiles):
    """The files of the page. Whatever is no path of the API is looked for here, so other methods find nothing."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file; raises HTTPException (404) if there is none, or for another method than GET."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(404)
        return await super().get_response(path, scope)


async def _plain(request: Request) -> Response:
    return HTMLResponse(_PLAIN)
