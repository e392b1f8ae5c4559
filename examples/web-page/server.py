"""A web page that writes texts: python server.py MODEL [PORT]."""

import html
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import genrun

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Texts</title>
<form>
  <input name="prompt" value="{prompt}" placeholder="first words, or none" autofocus>
  <button>Write</button>
</form>
{texts}
"""


def page(model: genrun.Model, prompt: str | None) -> str:
    """Return the page; with a prompt, also five texts that begin with it."""
    if prompt is None:
        return PAGE.format(prompt="", texts="")
    try:
        results = model.generate_many([prompt], n=5, max_new_tokens=50)
        lines = [result.text for result in results]
    except genrun.PromptError as error:  # what the visitor typed is the cause
        lines = [str(error)]
    texts = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return PAGE.format(prompt=html.escape(prompt), texts=texts)


def server(model: genrun.Model, port: int) -> ThreadingHTTPServer:
    """Return a server of the page, for this machine only; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path != "/":
                self.send_error(404)
                return
            fields = parse_qs(address.query, keep_blank_values=True)
            content = page(model, fields["prompt"][0] if "prompt" in fields else None).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    with server(genrun.load(sys.argv[1]), port) as serving:
        print(f"http://127.0.0.1:{serving.server_port}/", flush=True)
        serving.serve_forever()
