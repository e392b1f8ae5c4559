"""The application: its paths, and how errors are answered."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from genrun.errors import GenrunError, OptionError, one_line
from genrun.model import Model
from genrun.serving.answers import EventStream, Json, read_body, refusal, while_connected
from genrun.serving.asking.bodies import bodies
from genrun.serving.asking.schema import check_body
from genrun.serving.chat import naming_messages
from genrun.serving.completions import Completion
from genrun.serving.guard import LOOPBACK, Guard
from genrun.serving.limits import Limits
from genrun.serving.making.texts import Texts
from genrun.serving.metrics import CONTENT_TYPE_LATEST, Metrics
from genrun.serving.names import path_of
from genrun.serving.openapi import document
from genrun.serving.page import page_routes
from genrun.serving.places import Places, Reservation
from genrun.serving.refusals import Refused, refused_by
from genrun.serving.served import ServedModels
from genrun.serving.tools import detokenized, scores, suggestions, tokenized, tokenizer_info

__all__ = ["Server", "create_app"]

Work = Callable[[Request, dict[str, Any], Reservation], Awaitable[Response]]


def create_app(
    models: Mapping[str, Model],
    limits: Limits | None = None,
    *,
    hosts: Iterable[str] = LOOPBACK,
    key: str | None = None,
    origins: Iterable[str] = (),
) -> Starlette:
    """Return the ASGI application that serves ``models``, by name.

    ``hosts``: the names that a Host header may have, without a port; ``*`` for all. ``key``: what clients must send,
    None for no key. ``origins``: web pages of other servers that may use this one, such as ``https://example.org``.
    ``app.state.server`` is the :class:`Server`. Raises OptionError for arguments that are not accepted.
    """
    server = Server(ServedModels(models), limits or Limits())
    allowed = list(origins)
    if "*" in allowed:
        raise OptionError("an origin must be a web address such as https://example.org, not '*'")
    guard = Middleware(Guard, hosts=list(hosts), key=key, metrics=server.metrics)
    cors = Middleware(CORSMiddleware, allow_origins=allowed, allow_methods=["GET", "POST"], allow_headers=["*"])
    handlers: Any = {Refused: _refused, HTTPException: _http_error, GenrunError: _genrun_error}
    app = Starlette(
        routes=server.routes(key=key is not None),
        middleware=[*([cors] if allowed else []), guard],
        exception_handlers=handlers,
        lifespan=server.lifespan,
    )
    app.state.server = server
    return app


class Server:
    """The endpoints of an application; ``closing`` is set once no more requests are accepted."""

    def __init__(self, models: ServedModels, limits: Limits) -> None:
        self.models, self.limits = models, limits
        self.places = Places(limits)
        self.metrics = Metrics(self.places, [served.name for served in models])
        self.closing = False
        self._texts = Texts(self.places, self.metrics)
        self._bodies = bodies(limits)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Accept requests until the application ends."""
        yield
        self.closing = True

    def routes(self, *, key: bool) -> list[BaseRoute]:
        """Return all paths."""
        described = document(self._bodies, key=key, several=len(list(self.models)) > 1)

        async def openapi(request: Request) -> Response:
            return Json(described)

        work: dict[str, Work] = {
            "/v1/completions": self._completions,
            "/v1/chat/completions": self._chats,
            "/v1/suggest": self._suggest,
            "/v1/score": self._score,
            "/tokenize": self._tokenize,
            "/detokenize": self._detokenize,
        }
        return [
            *[_Path(path, self._with_place(path, each), methods=["POST"]) for path, each in work.items()],
            _Path("/v1/models", self._list),
            _Path("/v1/models/{model}", self._one),
            _Path("/tokenizer_info", self._tokenizer_info),
            _Path("/metrics", self._metrics),
            _Path("/openapi.json", openapi),
            _Path("/livez", self._livez),
            _Path("/readyz", self._readyz),
            _Path("/health", self._readyz),
            *page_routes(),
        ]

    def _with_place(self, path: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that reserves a place, reads and checks the body, and only then does its work."""

        async def endpoint(request: Request) -> Response:
            if self.closing:
                raise Refused(503, "the server shuts down", code="closing", retry_after=5)
            reservation = self.places.reserve()
            try:
                body = check_body(await read_body(request, self.limits), self._bodies[path])
                response = await work(request, body, reservation)
            except BaseException:
                reservation.release()
                raise
            if isinstance(response, EventStream):
                response.ended = reservation.release
            else:
                reservation.release()
            return response

        return endpoint

    async def _completions(
        self, request: Request, body: dict[str, Any], reservation: Reservation, *, chat: bool = False
    ) -> Response:
        completion = await Completion.read(body, self.models, self.limits, chat=chat)
        reservation.extend_to(completion.asked.texts)
        facts = request.state.facts
        facts["model"], facts["prompt_tokens"] = completion.asked.served.name, completion.prompt_tokens
        facts["texts"], facts["stream"] = completion.asked.texts, completion.asked.stream
        if completion.asked.stream:
            stream = EventStream(completion.events(self._texts))
            await while_connected(request.receive, stream.begin())
            return stream
        answer = await while_connected(request.receive, completion.answer(self._texts))
        facts["completion_tokens"] = completion.completion_tokens
        return Json(answer)

    async def _chats(self, request: Request, body: dict[str, Any], reservation: Reservation) -> Response:
        with naming_messages():
            return await self._completions(request, body, reservation, chat=True)

    async def _suggest(self, request: Request, body: dict[str, Any], _: Reservation) -> Response:
        served = self.models.named(body.get("model"))
        work = suggestions(body, served, self.places, self.limits)
        return Json(await while_connected(request.receive, work))

    async def _score(self, request: Request, body: dict[str, Any], reservation: Reservation) -> Response:
        served = self.models.named(body.get("model"))
        work = scores(body, served, self.places, self.limits)
        return Json(await while_connected(request.receive, work))

    async def _tokenize(self, request: Request, body: dict[str, Any], _: Reservation) -> Response:
        return Json(tokenized(body, self.models.named(body.get("model")), self.limits))

    async def _detokenize(self, request: Request, body: dict[str, Any], _: Reservation) -> Response:
        return Json(detokenized(body, self.models.named(body.get("model"))))

    async def _list(self, request: Request) -> Response:
        return Json({"object": "list", "data": [served.to_json() for served in self.models]})

    async def _one(self, request: Request) -> Response:
        return Json(self.models.named(request.path_params["model"]).to_json())

    async def _tokenizer_info(self, request: Request) -> Response:
        return Json(tokenizer_info(self.models.named(request.query_params.get("model")), self.limits))

    async def _metrics(self, request: Request) -> Response:
        return Response(self.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def _livez(self, request: Request) -> Response:
        return Json({"status": "ok"})

    async def _readyz(self, request: Request) -> Response:
        if self.closing:
            raise Refused(503, "the server shuts down", code="closing", retry_after=5)
        return Json({"status": "ok"})


class _Path(Route):
    """A path that is answered here whatever the method, not looked for among the files of the page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return a full match also where only the method is another; the answer is then 405."""
        match, child = super().matches(scope)
        return (Match.NONE if match is Match.NONE else Match.FULL), child


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(error if isinstance(error, Refused) else Refused(500, one_line(error)))


async def _http_error(request: Request, error: Exception) -> Response:
    status, path = error.status_code if isinstance(error, HTTPException) else 500, path_of(request.scope)
    headers = dict(getattr(error, "headers", None) or {})
    said = {
        404: f"there is no path {path[:200]!r}" + (f" for {request.method}" if request.method != "GET" else ""),
        405: f"this path does not know {request.method}; accepted: {headers.get('Allow')}",
    }
    return refusal(Refused(status, said.get(status, str(getattr(error, "detail", error))), headers=headers))


async def _genrun_error(request: Request, error: Exception) -> Response:
    return refusal(refused_by(error))
