"""The example of a text box, in a window of a display that Xvfb makes: keys, the mouse, and what is shown."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import genrun
from support import examples
from support.alphabet import alphabet_table, words, write_model

tk = pytest.importorskip("tkinter", reason="needs tkinter, which this Python is without: apt-get install python3-tk")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of a display that nobody sees."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        pytest.skip("needs Xvfb, which is not here: apt-get install xvfb")
    reading, writing = os.pipe()
    command = [xvfb, "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
        process.terminate()


@pytest.fixture
def box(
    display: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Callable[..., None]]]:
    """The text box of a model that says ``the council votes again .``, and what presses keys in it."""
    monkeypatch.syspath_prepend(str(repository / "examples" / "text-box"))
    program = examples.program(repository / "examples" / "text-box" / "text_box.py")
    tokenizer = words("the", "council", "votes", "again", ".")
    file = write_model(tmp_path / "council.onnx", tokenizer, table=alphabet_table(tokenizer))
    window = tk.Tk(screenName=display)
    made = program.TextBox(window, genrun.load(file, device="cpu"))

    def press(*keys: str) -> None:
        for key in keys:
            made.text.focus_force()
            window.update()
            made.text.event_generate(f"<{key}>")
            made.text.event_generate(f"<KeyRelease-{key.removeprefix('Alt-Key-')}>")
        while made.waiting:
            window.update()

    window.update()
    yield made, press
    window.destroy()


def shown(box: Any) -> list[str]:
    return [str(button["text"]) for button in box.buttons]


def written(box: Any) -> str:
    return str(box.text.get("1.0", "end-1c"))


def test_tab_takes_what_completes_the_word(box: tuple[Any, Callable[..., None]]) -> None:
    made, press = box
    assert shown(made)[0] == "the"
    press("t", "h", "e", "space", "c", "o")
    assert shown(made) == ["council", "", "", "", ""]
    press("Tab")
    assert written(made) == "the council "
    assert shown(made)[0] == "votes"


def test_a_key_directly_after_a_letter_takes_what_fits_the_letter(box: tuple[Any, Callable[..., None]]) -> None:
    made, press = box
    made.text.focus_force()
    made.update()
    made.text.event_generate("<v>")
    made.text.event_generate("<KeyRelease-v>")
    made.text.event_generate("<Tab>")  # before the pause is over
    assert written(made) == "votes "
    press("Alt-Key-1")
    assert written(made) == "votes again "


def test_a_click_takes_a_suggestion_and_each_line_is_a_text(box: tuple[Any, Callable[..., None]]) -> None:
    made, press = box
    made.buttons[0].invoke()
    made.buttons[0].invoke()
    assert written(made) == "the council "
    press("Return")
    assert shown(made)[0] == "the"
    press("x", "space")
    assert str(made.remark["text"]) == "not in the model's vocabulary: x"
    assert written(made) == "the council \nx "
