"""Whatever the csv module writes, nyt-csv reads back, or counts as dropped."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.contracts import ReadReport
from genrun.errors import CorpusError
from genrun_plugins.readers.nyt_csv import NytCsv

headlines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
awkward = st.text(st.sampled_from('a ,"\n\r\t\x0b\x1c\u2028\ufeffé'))


@settings(deadline=None)
@given(st.lists(headlines | awkward | st.sampled_from(["Unknown", " Unknown", "NA"])), st.booleans())
def test_what_csv_writer_wrote_comes_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], is_only_column: bool
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["headline"] if is_only_column else ["byline", "headline", "url"])
        for headline in written:
            writer.writerow([headline] if is_only_column else ["A", headline, "y\nz"])
    expected = [text for text in written if text.strip() not in ("", "Unknown")]
    report = ReadReport()
    documents = NytCsv().read([str(path)], report)
    if expected:
        assert list(documents) == expected
    else:
        with pytest.raises(CorpusError, match="no document found"):
            next(documents)
    assert report.rows == len(written)
    assert report.dropped.get("missing", 0) == sum(not text.strip() for text in written)
    assert report.dropped.get("unknown", 0) == sum(text.strip() == "Unknown" for text in written)
