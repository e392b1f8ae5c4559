"""The JavaScript runtime: its own tests, and its texts beside those of Python, in Node and in Chromium."""

from __future__ import annotations

import http.server
import json
import random
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

import genrun

Serve = Callable[..., AbstractContextManager[str]]
_RECIPES = {"default": {"epochs": "8"}, "characters": {"epochs": "4"}, "subwords": {"epochs": "6"}}
_CASES = [("default", None), ("default", "int8"), ("characters", None), ("subwords", None), ("subwords", "int8")]
_CHAINS = ("greedy", "min-p:0.05,temperature:0.8", "llama.cpp", "typical:0.9,no-repeat-ngram:2", "mirostat:3")
_SAME = {name: name for name in ("prompt", "text", "continuation", "ids", "unknown", "sample")}
_COMPARED = {
    **_SAME,
    "finishReason": "finish_reason",
    "copiedRun": "copied_run",
    "isTrainingLine": "is_training_line",
    "copiedSpan": "copied_span",
}
_OVER_HTTP = 200  # prompts for each model
_IN_A_REQUEST = 100
_MOST_DIFFERENT = 1  # of a thousand texts: a draw may fall where the last bits of logits decide


@pytest.fixture(params=_CASES, ids=lambda case: "-".join(filter(None, case)))
def model_file(request: pytest.FixtureRequest, make_model: Callable[..., Path]) -> Path:
    recipe, quantize = request.param
    return make_model(recipe, quantize, _RECIPES[recipe])


def prompts_of(model: genrun.Model, count: int) -> list[str]:
    """Return beginnings of texts that the model writes, some empty, some that break off in a word."""
    numbers = random.Random(1)
    texts = [result.text for result in model.generate_many([""], n=count, seed=3, max_new_tokens=12)]
    return [text[: numbers.randint(0, len(text))] for text in texts]


def jobs_of(path: Path, count: int, few: int) -> list[dict[str, Any]]:
    """Return jobs: ``count`` prompts with the model's own decoder, and ``few`` with each chain."""
    prompts = prompts_of(genrun.load(path, device="cpu"), count)
    own = {"model": str(path), "prompts": prompts, "choices": {"seed": 7, "maxNewTokens": 30}}
    chains = [{**own, "prompts": prompts[:few], "choices": {"seed": 8, "decoder": chain}} for chain in _CHAINS]
    return [own, *chains]


def in_python(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a job by this package."""
    choices = {{"maxNewTokens": "max_new_tokens"}.get(name, name): value for name, value in job["choices"].items()}
    results = genrun.load(job["model"], device="cpu").generate_many(job["prompts"], **choices)
    found = [{name: getattr(result, own) for name, own in _COMPARED.items()} for result in results]
    listed: list[dict[str, Any]] = json.loads(json.dumps(found))
    return listed


def different(
    jobs: Sequence[dict[str, Any]], results: Sequence[list[dict[str, Any]]], names: Collection[str] = _COMPARED
) -> list[tuple[Any, Any]]:
    """Return the pairs of results, by Python and by others, that are not the same in the fields ``names``."""
    assert len(results) == len(jobs)
    found = []
    for job, made in zip(jobs, results, strict=True):
        for expected, result in zip(in_python(job), made, strict=True):
            if any(expected[name] != result[name] for name in names):
                found.append((expected, result))
    return found


def test_the_package_passes_its_own_tests(node: str, repository: Path) -> None:
    tests = sorted(map(str, (repository / "web" / "test").glob("*.test.js")))
    made = subprocess.run([node, "--test", *tests], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-4000:]


@pytest.mark.timeout(900)
def test_a_thousand_prompts_give_the_same_texts_in_node(
    node: str, model_file: Path, repository: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(model_file, 1000, 40)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = repository / "tests" / "integrations" / "web" / "generate.mjs"
    command = [node, str(script), str(tmp_path / "jobs.json"), str(tmp_path / "results.json")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    found = different(jobs, json.loads((tmp_path / "results.json").read_text("utf-8")))
    assert len(found) <= _MOST_DIFFERENT, found[:2]


@pytest.mark.timeout(900)
def test_a_thousand_prompts_give_the_same_texts_in_chromium(
    node: str, model_file: Path, repository: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(model_file, 1000, 20)
    results = in_chromium(repository, jobs, tmp_path)
    assert "error" not in results, results
    found = different(jobs, results)
    assert len(found) <= _MOST_DIFFERENT, found[:2]


def test_prompts_give_the_same_texts_over_http(model_file: Path, serve: Serve) -> None:
    jobs = jobs_of(model_file, _OVER_HTTP, 20)
    with serve(model=model_file) as address:
        results = [over_http(address, job) for job in jobs]
    known = {"prompt", "text", "unknown", "sample", "finishReason"}
    found = different(jobs, results, known)
    assert len(found) <= _MOST_DIFFERENT, found[:2]


def over_http(address: str, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a job by a server, as far as its answers have them."""
    names = {"maxNewTokens": "max_tokens"}
    fields = {names.get(name, name): value for name, value in job["choices"].items()}
    found = []
    for start in range(0, len(job["prompts"]), _IN_A_REQUEST):
        prompts = job["prompts"][start : start + _IN_A_REQUEST]
        body = json.dumps({"prompt": prompts, "echo": True, **fields}).encode()
        request = urllib.request.Request(f"{address}v1/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            choices = json.load(answer)["choices"]
        for prompt, choice in zip(prompts, choices, strict=True):
            about = choice["genrun"]
            kept = {"unknown": about["unknown"], "sample": about["sample"], "finishReason": about["finish_reason"]}
            found.append({"prompt": prompt, "text": choice["text"], **kept})
    return found


def test_a_damaged_file_is_refused(node: str, make_model: Callable[..., Path], repository: Path) -> None:
    content = bytearray(make_model("default", None, _RECIPES["default"]).read_bytes())
    content[len(content) // 2] ^= 1
    code = "load(new Uint8Array(require('fs').readFileSync(0))).catch((e) => console.log(e.name, e.message))"
    index = (repository / "web" / "src" / "index.js").as_uri()
    command = [node, "-e", f"import({index!r}).then(({{ load }}) => {code})"]
    made = subprocess.run(command, input=bytes(content), capture_output=True, check=True, cwd=repository / "web")
    assert made.stdout.decode().startswith("ModelFileError the file is damaged")


def in_chromium(repository: Path, jobs: list[dict[str, Any]], folder: Path) -> Any:
    """Return the results of ``jobs`` by a page in headless Chromium; skips where there is none."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium, which is not here: apt-get install chromium")
    models = {job["model"] for job in jobs}
    answered, answers = threading.Event(), list[Any]()

    class Page(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(repository))

        def do_GET(self) -> None:
            if self.path == "/jobs":
                self.answer(json.dumps(jobs).encode())
            elif self.path.removeprefix("/model") in models:
                self.answer(Path(self.path.removeprefix("/model")).read_bytes())
            else:
                super().do_GET()

        def do_POST(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")
            answered.set()

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/tests/integrations/web/page.html"
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        with subprocess.Popen(
            [browser, *options, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                assert answered.wait(600), "the page has not answered"
            finally:
                process.terminate()
                server.shutdown()
    return answers[0]
