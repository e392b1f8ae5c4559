"""An HTTP server for model files, in the shape of the OpenAI API; it needs the extra ``serve``.

    request ──▶ guard (host, key, size) ──▶ a place ──▶ endpoint ──▶ texts ──▶ the model's scheduler

The server adds nothing to how texts are made: each is the text that ``Model.generate_many`` makes with the same
prompt, seed, sample and decoder. :func:`genrun.serving.app.create_app` makes the application for any ASGI server.
"""
