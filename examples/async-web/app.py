"""A web application that streams texts: python app.py MODEL [PORT]."""

import re
import sys
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import genrun

MOST_TEXTS = 512  # that are generated or wait at the same time
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Texts</title>
<form><input name="prompt" placeholder="first words, or none" autofocus> <button>Write</button></form>
<p id="text" aria-live="polite"></p>
<script type="module">
const shown = document.getElementById("text");
let leave = new AbortController();
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  leave.abort(); // the text before
  const { signal } = (leave = new AbortController());
  shown.textContent = "";
  try {
    const answer = await fetch("text?" + new URLSearchParams(new FormData(event.target)), { signal });
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece; !(piece = await pieces.read()).done; ) shown.textContent += piece.value;
  } catch (error) {
    if (!signal.aborted) shown.textContent = error;
  }
});
</script>
"""


class TextResponse(StreamingResponse):
    """Sends a text while it is generated; ``text`` is what ``model.aschedule`` returns, ``head`` its beginning.

    A client that leaves ends the text, and another text takes its row.
    """

    def __init__(self, head: str, text: Any) -> None:
        self.head, self.text = head, text
        super().__init__(self.pieces(), media_type="text/plain")

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Yield the text from its beginning."""
        yield self.head
        async for piece in self.text.pieces():
            yield piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, and end the text with it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.text.cancel()  # frees the row before the next step; does nothing to a text that is finished


def application(model: genrun.Model, max_new_tokens: int = 50) -> Starlette:
    """Return the application: a page at /, and at /text?prompt=…&seed=… a text."""

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def text(request: Request) -> Response:
        prompt, seed = request.query_params.get("prompt", ""), request.query_params.get("seed", "")
        if not re.fullmatch("[0-9]{0,18}", seed):
            return PlainTextResponse("the seed must be a number of at most 18 digits", 400)
        if model.unfinished >= MOST_TEXTS:
            return PlainTextResponse("too many texts at the same time", 503, {"Retry-After": "1"})
        try:
            scheduled = await model.aschedule(
                prompt, stream=True, warn=False, seed=int(seed) if seed else None, max_new_tokens=max_new_tokens
            )
        except genrun.PromptError as error:  # what the visitor typed is the cause
            return PlainTextResponse(str(error), 400)
        return TextResponse(model.prompt_text(prompt), scheduled)

    return Starlette(routes=[Route("/", page), Route("/text", text)])


def main(path: str, port: str = "8000") -> None:
    """Serve the model file at ``path``, for this machine only; port 0 takes a free one."""
    try:
        model = genrun.load(path)
    except genrun.GenrunError as error:
        sys.exit(f"error: {error}")
    uvicorn.run(application(model), port=int(port))


if __name__ == "__main__":
    main(*sys.argv[1:]) if 2 <= len(sys.argv) <= 3 else sys.exit(__doc__)
