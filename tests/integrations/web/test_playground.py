"""The playground, used as a person does: by typing, by keys alone, on a phone; axe looks at it.

Every test runs with both back ends: a static page that runs the model itself, and a running ``genrun serve``.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

import genrun
from genrun_export.web_page import find_onnxruntime_web, write_page

_PATIENCE = 60_000  # milliseconds: this machine may be busy
Serve = Callable[..., AbstractContextManager[str]]
_MOST_BYTES = 6 * 2**20  # beside the model, compressed


@pytest.fixture(scope="module")
def model_file(make_model: Callable[..., Path]) -> Path:
    return make_model("default", None, {"epochs": "8"})


@pytest.fixture(scope="module")
def site(node: str, model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "page"
    write_page(folder, find_onnxruntime_web(), lambda path: path.write_bytes(model_file.read_bytes()))
    return folder


@pytest.fixture(scope="module", params=["file", "server"])
def address(request: pytest.FixtureRequest, model_file: Path, serve: Serve) -> Iterator[str]:
    """The address of the page."""
    if request.param == "server":
        with serve(first=model_file, second=model_file) as found:
            yield found
    else:
        with on_a_plain_host(request.getfixturevalue("site")) as found:
            yield found


@contextlib.contextmanager
def on_a_plain_host(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium, which is not here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    """The page, ready to write; what it asks of other hosts, and its errors, fail the test."""
    context = browser.new_context()
    found: Page = context.new_page()
    found.set_default_timeout(_PATIENCE)
    expect.set_options(timeout=_PATIENCE)
    elsewhere, errors = list[str](), list[str]()
    own = (address, "data:", "blob:")
    found.on("request", lambda request: None if request.url.startswith(own) else elsewhere.append(request.url))
    found.on("pageerror", lambda error: errors.append(str(error)))
    open_page(found, address)
    yield found
    context.close()
    assert not elsewhere
    assert not errors


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#write")).to_be_enabled()


def written(page: Page) -> str:
    """Return the text, once it is finished."""
    expect(page.locator("#about")).to_contain_text("Seed ")
    return str(page.locator("#text").text_content())


def test_a_text_is_the_one_of_python(page: Page, model_file: Path) -> None:
    page.fill("#prompt", "the council")
    page.locator("#choices > summary").click()
    page.fill("#seed", "7")
    page.click("#write")
    expected = next(iter(genrun.load(model_file, device="cpu").generate_many(["the council"], seed=7)))
    assert written(page) == f"the council{expected.continuation}"
    assert page.locator("#text button").count() > 1


def test_a_link_makes_the_same_text_again(page: Page, address: str) -> None:
    page.fill("#prompt", "the new")
    page.click("#write")
    first, link = written(page), page.url
    assert parse_qs(urlsplit(link).fragment)["prompt"] == ["the new"]
    page.goto("about:blank")
    page.goto(link)
    assert written(page) == first


def test_suggestions_complete_what_is_typed_and_go_on(page: Page, model_file: Path) -> None:
    page.locator("#prompt").press_sequentially("the c")
    suggestions = page.locator("#suggestions button")
    expected = genrun.load(model_file, device="cpu").suggest("the c")
    expect(suggestions).to_have_text([each.text for each in expected])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_have_value(f"the {expected[0].text} ")


def test_everything_is_reached_by_keys_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.type("what the")
    page.keyboard.press("Control+Enter")
    written(page)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#text') !== null"):
            break
    expect(page.locator("#candidates li").first).to_contain_text("%")
    before = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.closest('#text') !== null")
    assert page.locator("#text button[aria-pressed=true]").count() == 1
    assert before


def test_sliders_make_a_chain(page: Page, model_file: Path) -> None:
    page.locator("#choices > summary").click()
    page.uncheck("#own")
    for name, value in {"temperature": "0", "top-k": "5", "top-p": "1"}.items():
        page.locator(f"#{name}").fill(value)
    page.fill("#prompt", "the")
    page.click("#write")
    model = genrun.load(model_file, device="cpu")
    [expected] = model.generate_many(["the"], decoder="top-k:5,greedy", seed=1)
    assert written(page) == f"the{expected.continuation}"


@pytest.mark.parametrize("address", ["server"], indirect=True)
def test_a_constraint_is_met(page: Page, model_file: Path) -> None:
    page.locator("#choices > summary").click()
    page.fill("#constraint", "words:7,never:bridge")
    page.fill("#seed", str(2**64 - 1))
    page.fill("#prompt", "the council")
    page.click("#write")
    model = genrun.load(model_file, device="cpu")
    [expected] = model.generate_many(["the council"], constraint="words:7,never:bridge", seed=2**64 - 1)
    assert written(page) == f"the council{expected.continuation}"
    assert parse_qs(urlsplit(page.url).fragment)["constraint"] == ["words:7,never:bridge"]


@pytest.mark.parametrize("address", ["server"], indirect=True)
def test_another_model_of_the_server_is_chosen(page: Page) -> None:
    page.fill("#prompt", "the new")
    page.select_option("#model", "second")
    expect(page.locator("h1")).to_have_text("second")
    expect(page.locator("#prompt")).to_have_value("the new")
    page.click("#write")
    written(page)
    assert parse_qs(urlsplit(page.url).fragment)["model"] == ["second"]


def test_a_browser_gives_the_key_that_it_is_asked_for(
    browser: Any, model_file: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRUN_API_KEY", "s3cret")
    with serve(first=model_file) as address:
        context = browser.new_context(http_credentials={"username": "anyone", "password": "s3cret"})
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.goto(f"{address}#prompt=the+new&seed=3")
        page.locator("#about", has_text="Seed 3.").wait_for()
        context.close()


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_what_the_back_end_lacks_is_not_shown(page: Page) -> None:
    page.locator("#choices > summary").click()
    expect(page.locator("#constraint")).to_be_hidden()
    expect(page.locator("#model")).to_be_hidden()


def test_a_copied_run_is_marked(page: Page, model_file: Path) -> None:
    prompt = "“hm”: the council votes to repair the"  # the beginning of a headline of the training text
    [expected] = genrun.load(model_file, device="cpu").generate_many([prompt], seed=3)
    assert expected.copied_run is not None
    assert expected.copied_run >= 5
    assert expected.copied_span is not None
    page.fill("#prompt", prompt)
    page.locator("#choices > summary").click()
    page.fill("#seed", "3")
    page.click("#write")
    assert written(page) == f"{prompt}{expected.continuation}"
    expect(page.locator("#about")).to_contain_text(f"{expected.copied_run} words in a row are from the training text")
    marked = "".join(page.locator("#text mark, #text .copied").all_text_contents())
    assert marked.startswith(expected.text[slice(*expected.copied_span)])


def test_a_wrong_chain_is_an_error_on_the_page(page: Page) -> None:
    page.locator("#choices > summary").click()
    page.uncheck("#own")
    page.fill("#chain", "invention:4")
    page.click("#write")
    expect(page.locator("#about")).to_contain_text("invention")


def test_a_phone_needs_no_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.locator("#choices > summary").click()
    page.fill("#prompt", "the council")
    page.click("#write")
    written(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_axe_finds_nothing_serious(page: Page, repository: Path) -> None:
    page.locator("#choices > summary").click()
    page.fill("#prompt", "the council")
    page.click("#write")
    written(page)
    page.locator("#text button").first.focus()
    axe = repository / "web" / "node_modules" / "axe-core" / "axe.min.js"
    page.evaluate(axe.read_text("utf-8"))
    found = page.evaluate("axe.run()")
    serious = [each["id"] for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, found["violations"]


def test_the_page_is_small(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file() and path.suffix != ".onnx"]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= _MOST_BYTES
