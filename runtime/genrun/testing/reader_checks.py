"""Checks that a reader keeps its contract: lazy, repeatable, counts that add up, errors that name file and line."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrun.checks.short_text import class_name, short_line
from genrun.contracts import Document, ReadReport
from genrun.errors import CorpusError, cause, one_line
from genrun.registry import contract_of, title
from genrun.testing.common_checks import check_options, fresh, no_global_chance
from genrun.testing.outcomes import Check, Failed, Outcome, Skipped, demand, outcomes
from genrun.testing.reader_subject import ReaderSubject
from genrun.testing.repeated_reading import digest_of, read_elsewhere

__all__ = ["check_reader", "reader_outcomes"]

_COUNTS = 2  # the contract since which a reader counts every record
_LINE = re.compile(r":\d+")


def check_reader(reader: object, sources: Sequence[str], *, bad: str | None = None) -> None:
    """Check that ``reader`` keeps its contract; raises BrokenContract with a line for each promise that is broken.

    ``sources``: small ones with at least one document, as for ``genrun train``; files are copied, and the copies are
    repeated, emptied, damaged and removed. ``bad``: a file that the reader must refuse, with file and line.

    >>> from genrun.plugins import make_reader
    >>> from genrun.testing import tiny_corpus
    >>> check_reader(make_reader("text"), [str(tiny_corpus())])
    """
    demand(title("reader", reader), reader_outcomes(reader, sources, bad=bad))


def reader_outcomes(reader: object, sources: Sequence[str], *, bad: str | None = None) -> list[Outcome]:
    """Return the outcome of each check of ``reader``, in order; raises nothing."""
    with tempfile.TemporaryDirectory() as folder:
        return outcomes(_CHECKS, ReaderSubject(reader, tuple(map(str, sources)), bad, Path(folder)))


def _has_options(subject: ReaderSubject) -> None:
    check_options("reader", subject.plugin)


def _yields_documents(subject: ReaderSubject) -> None:
    report = ReadReport()
    documents = fresh(subject.plugin).read(subject.sources, report)
    if iter(documents) is not documents:
        raise Failed(f"read() returns {class_name(documents)}; it must be a generator, which yields documents")
    number = 0
    for number, document in enumerate(documents, 1):
        if type(document) not in (str, Document):
            raise Failed(f"document {number} is {class_name(document)}; a document is a str or a genrun.Document")
        try:
            document.encode("utf-8")
        except UnicodeEncodeError:
            raise Failed(f"document {number} has a lone surrogate, which is no character") from None
    if not number:
        raise Failed("read() yields no document and raises no CorpusError: check it with sources that have some")


def _is_repeatable(subject: ReaderSubject) -> None:
    with no_global_chance():
        reader = fresh(subject.plugin)
        first, second, other = (subject.read(each) for each in (reader, reader, fresh(subject.plugin)))
    if first[0] != second[0]:
        raise Failed(
            f"a second pass yields other documents ({_difference(first[0], second[0])}); a corpus is read twice"
        )
    if first[0] != other[0]:
        raise Failed(
            f"a new object yields other documents ({_difference(first[0], other[0])}), with the same options"
        )
    if _counts(first[1]) != _counts(second[1]):
        raise Failed(f"a second pass has other counts: {_counts(first[1])}, then {_counts(second[1])}")


def _is_the_same_elsewhere(subject: ReaderSubject) -> None:
    found = read_elsewhere(subject.plugin, subject.sources)
    if found != digest_of(subject.read()[0]):
        raise Failed("another process reads other documents, or another order, such as that of a set")


def _may_be_read_twice_at_once(subject: ReaderSubject) -> None:
    expected, _ = subject.read()
    reader = fresh(subject.plugin)
    reports = ReadReport(), ReadReport()
    both = list(itertools.zip_longest(*(reader.read(subject.sources, report) for report in reports)))
    for pass_, documents in enumerate(zip(*both, strict=True)):
        if list(documents) != expected:
            raise Failed(
                f"of two passes at once, pass {pass_ + 1} yields other documents: it keeps state between calls"
            )
    if _counts(reports[0]) != _counts(reports[1]):
        raise Failed("of two passes at once, the counts differ: it keeps state between calls")


def _counts_add_up(subject: ReaderSubject) -> None:
    documents, report = subject.read()
    dropped = sum(report.dropped.values())
    if contract_of("reader", subject.plugin) < _COUNTS and not (report.rows or dropped):
        raise Skipped("its contract is older than counts")
    if report.rows != len(documents) + dropped:
        raise Failed(
            f"its counts do not add up: {report.rows} rows, but {len(documents)} documents and {dropped} dropped; "
            "call report.row() for each record, and report.drop() for those left out"
        )
    if report.files < len(subject.files):
        raise Failed(f"it counts {report.files} of {len(subject.files)} files: call report.file() for each one")


def _is_lazy(subject: ReaderSubject) -> None:
    copies = subject.copies("lazy", 3)
    expected, _ = subject.read(sources=copies.sources)
    documents = fresh(subject.plugin).read(copies.sources, report := ReadReport())
    found = [next(documents)]
    copies.paths[-1].unlink()
    try:
        found += documents
    except CorpusError:
        return
    if found == expected and not report.dropped.get("unreadable"):
        raise Failed("it reads everything first: it has read a file that was removed after the first document")


def _names_the_file(subject: ReaderSubject) -> None:
    for how in ("missing", "empty", "damaged"):
        copies = subject.copies(how, 1)
        path = copies.paths[0]
        if how == "missing":
            path.unlink()
        elif how == "empty":
            path.write_bytes(b"")
        else:
            path.write_bytes(_damaged(path.read_bytes()))
        error = _error(subject, copies.sources, how)
        if error is None and how != "damaged":
            raise Failed(f"a file that is {how} gives no documents and no CorpusError")
        if error is not None and path.name not in one_line(error):
            raise Failed(f"its error for a file that is {how} does not name the file: {one_line(error)}")


def _names_the_line(subject: ReaderSubject) -> None:
    if subject.bad is None:
        raise Skipped("no bad file was given (--bad FILE, in a test bad=FILE)")
    error = _error(subject, [subject.bad], "bad")
    if error is None:
        raise Failed(f"it reads {short_line(subject.bad)} without a CorpusError")
    said = one_line(error)
    name = Path(subject.bad).name
    if name not in said or not _LINE.match(said.partition(name)[2]):
        raise Failed(f"its error for a file that is bad does not name file and line, {name}:LINE: {said}")


def _error(subject: ReaderSubject, sources: Sequence[str], how: str) -> CorpusError | None:
    try:
        subject.read(sources=sources)
    except CorpusError as error:
        if one_line(error) != str(error):
            raise Failed(f"its error for a file that is {how} is more than one line") from error
        return error
    except Exception as error:  # a reader may raise anything
        raise Failed(
            f"a file that is {how} raises {cause(error)}; it must be a CorpusError with the file's name"
        ) from error
    return None


def _damaged(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + b"\xff\xfe\x00\x80\xff" + content[half:]


def _counts(report: ReadReport) -> dict[str, Any]:
    return {"files": report.files, "rows": report.rows, "dropped": report.dropped}


def _difference(one: Sequence[str], other: Sequence[str]) -> str:
    if len(one) != len(other):
        return f"{len(one)}, then {len(other)}"
    return "in another order" if sorted(one) == sorted(other) else "other texts"


_CHECKS = (
    Check("options survive JSON", _has_options, first=True),
    Check("it yields documents", _yields_documents, first=True),
    Check("every pass is the same", _is_repeatable),
    Check("another process reads the same", _is_the_same_elsewhere),
    Check("two passes at once are apart", _may_be_read_twice_at_once),
    Check("counts add up", _counts_add_up),
    Check("files are opened when they are reached", _is_lazy),
    Check("errors name the file", _names_the_file),
    Check("errors name the line", _names_the_line),
)
