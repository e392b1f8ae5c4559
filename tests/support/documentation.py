"""Running the examples of a Markdown page: each fenced block that stands below ``<!-- run -->``.

A block of Python is run statement by statement, all blocks of a page in one namespace. What it prints is the next
block, or the comments behind its calls of ``print``. A comment behind an expression is its value, or, below one that
raises, its error. In a block of commands, each line that begins with ``$`` is run by bash, and the lines below it are
what it prints; no line means that anything may be printed. ``…`` stands for any characters, on a line alone for any
lines. Lines of progress, which depend on speed, are left out. Decimal numbers may differ by 5 %, and speeds, versions
and rounding errors by any amount.
"""

from __future__ import annotations

import ast
import contextlib
import io
import math
import os
import re
import subprocess
import sys
import textwrap
import warnings
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

__all__ = ["Block", "blocks_of", "run_page", "says"]

_FENCE = re.compile(
    r"^(?P<mark><!-- run -->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_PROGRESS = re.compile(r"^(?:.* so far|about .*|epoch .* left)\n", re.MULTILINE)  # which a slow machine prints
_ANY_NUMBER = (r"[\d,]+ tokens/s", r"\d\.\d+e-\d\d", r"\d\.\d times", r"onnxruntime \d+\.\d+\.\d+", r"\(\d+ cores?\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page; ``output`` is the text of an unmarked one directly below."""

    line: int
    language: str
    text: str
    marked: bool
    output: str | None


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    found, blocks = list(_FENCE.finditer(page)), []
    for fence, following in zip_longest(found, found[1:]):
        output = None
        if following and not following["mark"] and not page[fence.end() : following.start()].strip():
            output = following["text"]
        line = page.count("\n", 0, fence.start("language")) + 1
        blocks.append(Block(line, fence["language"], textwrap.dedent(fence["text"]), bool(fence["mark"]), output))
    return blocks


def run_page(page: str, folder: Path) -> int:
    """Run the marked blocks of a page in ``folder``; return how many there are."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    marked = [block for block in blocks_of(page) if block.marked]
    for block in marked:
        try:
            if block.language == "python":
                _run_python(block, namespace, folder)
            else:
                _run_commands(block.text, folder)
        except AssertionError as error:
            raise AssertionError(f"the block at line {block.line}: {error}") from None
    return len(marked)


def says(expected: str, found: str) -> bool:
    """Return whether what was printed is what the page shows.

    >>> says("… votes\\nperplexity 2.15, 1,000 tokens/s", "The Council votes\\nperplexity 2.16, 7 tokens/s")
    True
    """
    pattern, position, numbers = "", 0, list[float]()
    expected = re.sub(r"^…\n?", "\0", expected.rstrip("\n") + "\n", flags=re.MULTILINE)
    for special in re.finditer("|".join(("\0", "…", *_ANY_NUMBER, r"(?<![\w.,])-?\d+\.\d+(?![\w.])")), expected):
        text = special[0]
        general = next((number for number in _ANY_NUMBER if re.fullmatch(number, text)), None)
        pattern += re.escape(expected[position : special.start()])
        if text == "\0":
            pattern += r"(?:.*\n)*?"
        elif text == "…":
            pattern += ".*"
        elif general:
            pattern += general
        else:
            numbers.append(float(text))
            pattern += r"(-?\d+\.\d+)"
        position = special.end()
    match = re.fullmatch(pattern + re.escape(expected[position:]), found.rstrip("\n") + "\n")
    return match is not None and all(
        math.isclose(float(other), number, rel_tol=0.05, abs_tol=1e-4)
        for other, number in zip(match.groups(), numbers, strict=True)
    )


def _check(what: str, expected: str, found: str) -> None:
    assert says(expected, found), f"{what}\nshould say:\n{expected}\nsays:\n{found}"


def _run_python(block: Block, namespace: dict[str, Any], folder: Path) -> None:
    printed, lines = io.StringIO(), block.text.splitlines()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("default")
        for statement in ast.parse(block.text).body:
            source = ast.get_source_segment(block.text, statement) or ""
            last = lines[(statement.end_lineno or 0) - 1]
            comment = last[statement.end_col_offset or 0 :].partition("# ")[2]
            below = re.match(r"(# .*\n?)*", "\n".join(lines[statement.end_lineno or 0 :]))
            error = below[0].replace("\n# ", " ").removeprefix("# ").rstrip() if below else ""
            if not isinstance(statement, ast.Expr):
                exec(compile(ast.Module([statement], []), "page", "exec"), namespace)  # with its decorators
            elif error:
                _check(source, error, _error_of(source, namespace))
            else:
                value = eval(source, namespace)
                if comment and value is not None:
                    _check(source, comment, repr(value))
    if block.output is not None or printed.getvalue():
        comments = re.findall(r"^ *print\(.*  # (.*)", block.text, re.MULTILINE)
        _check("the block", block.output or "\n".join(comments), printed.getvalue().strip(" "))


def _error_of(source: str, namespace: dict[str, Any]) -> str:
    try:
        return f"nothing was raised; the value is {eval(source, namespace)!r}"
    except Exception as error:
        return f"{type(error).__module__}.{type(error).__qualname__}: {error}"


def _run_commands(text: str, folder: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, expected = re.fullmatch(r"((?:.*\\\n)*.*)\n((?:.*\n)*)", part).groups()  # type: ignore[union-attr]
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert (done.returncode == 0) == ("error: " not in expected), f"{command}\n{done.stdout}"
        if expected:
            _check(command, expected, _PROGRESS.sub("", done.stdout))
