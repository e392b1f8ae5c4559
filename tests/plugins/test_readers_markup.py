"""The readers jsonl, markdown, html and parquet: what a document is, and what is left out."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.checks.installation import pip_line
from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, MissingExtraError, OptionError
from genrun_plugins.readers.html_text import Html
from genrun_plugins.readers.json_lines import JsonLines
from genrun_plugins.readers.markdown import Markdown
from genrun_plugins.readers.parquet import Parquet

MARKDOWN = """---
title: Tides
---
# Tides

The *sea* and
the [sky](https://example.org) meet.

- first `item`
- second ![gull](gull.png)

```python
code()
```

<div>
markup
</div>

| Name | Mark |
|------|------|
| Ada  | one  |
"""
HTML = """<!doctype html><html><head><title>Title</title><style>p {}</style></head><body>
<h1>Tides</h1><p>The <b>sea</b>&nbsp;&amp;
the sky.<br>Twice<script>f("<p>no</p>")</script></p><pre>code()</pre>
<ul><li>one<li>two</ul><div>loose <p>inner</p> end</div></body></html>"""


def read(reader: Reader, path: Path, text: str) -> tuple[list[str], ReadReport]:
    path.write_text(text, "utf-8")
    report = ReadReport()
    return list(reader.read([str(path)], report)), report


def test_markdown_is_its_visible_text(tmp_path: Path) -> None:
    documents, report = read(Markdown(), tmp_path / "a.md", MARKDOWN)
    assert documents == ["Tides", "The sea and the sky meet.", "first item", "second gull", "Name Mark", "Ada one"]
    assert report.dropped == {"front matter": 1, "code block": 1, "HTML block": 1}
    assert report.rows == 9


def test_html_is_its_visible_text(tmp_path: Path) -> None:
    documents, report = read(Html(), tmp_path / "a.html", HTML)
    assert documents == ["Tides", "The sea & the sky.\nTwice", "one", "two", "loose", "inner", "end"]
    assert (report.rows, report.dropped) == (8, {"code block": 1})


@pytest.mark.parametrize(("reader", "name", "text"), [(Markdown, "a.md", MARKDOWN), (Html, "a.html", HTML)])
def test_a_page_may_be_one_document(tmp_path: Path, reader: type, name: str, text: str) -> None:
    [document], _ = read(reader(documents="files"), tmp_path / name, text)
    assert document.split("\n\n") == read(reader(), tmp_path / name, text)[0]
    with pytest.raises(OptionError, match="documents must be blocks or files, not 'lines'"):
        reader(documents="lines")


@settings(deadline=None, max_examples=50)
@given(st.text("<>/pbr &;!-scriptadx\"' \n", max_size=60), st.integers(1, 9))
def test_html_is_the_same_wherever_its_pieces_are_cut(text: str, size: int) -> None:
    from genrun_plugins.readers.html_text import _Parser

    whole, cut = _Parser(), _Parser()
    whole.feed(text)
    for start in range(0, len(text), size):
        cut.feed(text[start : start + size])
    for parser in (whole, cut):
        parser.close()
        parser.end_block()
    assert whole.take() == cut.take()


def test_json_lines_and_arrays_and_nested_fields_are_read_alike(tmp_path: Path) -> None:
    records = [{"post": {"title": "One"}}, {"post": {"title": None}}, {"id": 3}, {"post": {"title": "Two"}}]
    lines = "\n".join(map(json.dumps, records))
    for text in (lines, json.dumps(records), json.dumps(records, indent=1)):
        documents, report = read(JsonLines("post.title"), tmp_path / "a.json", text)
        assert documents == ["One", "Two"]
        assert (report.rows, report.dropped) == (4, {"missing": 2})
    whole = json.dumps({"data": {"items": records}}, indent=2)
    assert read(JsonLines("data.items.post.title"), tmp_path / "a.json", whole)[0] == ["One", "Two"]


def test_a_field_may_have_dots_of_its_own(tmp_path: Path) -> None:
    assert read(JsonLines("a.b"), tmp_path / "a.jsonl", '{"a.b": "One"}\n{"a": {"b": "Two"}}')[0] == ["One", "Two"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("One", "not JSON: Expecting value"),
        ("3", "a JSON object is needed, not 3"),
        ('{"text": 3}', "the field 'text' must be text, not 3"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
    ],
)
def test_what_json_lines_cannot_be_is_named_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read(JsonLines(), tmp_path / "a.jsonl", '{"text": "One"}\n' + line)
    assert str(caught.value).startswith(f"{tmp_path / 'a.jsonl'}:2: {problem}")


def test_a_missing_field_lists_those_of_the_first_object(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no field 'text'; the first object has 'id', 'post\.title'$"):
        read(JsonLines(), tmp_path / "a.jsonl", '{"id": 1, "post": {"title": "One"}}\n')


def test_parquet_reads_a_column_of_text(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    table = {"id": [1, 2, 3], "title": ["One", None, " "], "by": ["A", "B", "C"]}
    parquet.write_table(pyarrow.table(table), path)
    report = ReadReport()
    assert list(Parquet("title").read([str(tmp_path)], report)) == ["One"]
    assert (report.rows, report.dropped) == (3, {"missing": 2})
    assert list(Parquet().read([str(path)], report)) == ["One"]
    assert report.notes == (f"{path}: the column 'title' is read, of 'title', 'by'",)
    for column, problem in (("name", "no column 'name'; it has 'id', 'title', 'by'"), ("id", "'id' is not of text")):
        with pytest.raises(CorpusError, match=problem):
            list(Parquet(column).read([str(path)], ReadReport()))
    path.write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(CorpusError, match=r"a\.parquet: not a Parquet file, or a damaged one"):
        list(Parquet().read([str(path)], ReadReport()))


@pytest.mark.parametrize(
    ("reader", "name", "package", "extra"),
    [(Parquet(), "a.parquet", "pyarrow", "parquet"), (Markdown(), "a.md", "markdown_it", "train")],
)
def test_a_missing_library_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader, name: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=re.escape(pip_line(extra))):
        read(reader, tmp_path / name, "PAR1")
