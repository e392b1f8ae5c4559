"""Reading documents with a reader, which may be a stranger's: what it breaks becomes one line that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import index
from typing import Any

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, GenrunError, PluginError, one_line

__all__ = ["check_report", "first_document", "named", "read_documents"]


def first_document(reader: Reader, sources: Sequence[str]) -> str | None:
    """Return the first document, to learn early whether the sources can be read at all."""
    return next(read_documents(reader, sources), None)


def read_documents(reader: Reader, sources: Sequence[str], report: ReadReport | None = None) -> Iterator[str]:
    """Yield the documents of a reader, held to its contract: what it breaks becomes an error that names it."""
    for number, document in enumerate(_guarded(reader, sources, report or ReadReport()), 1):
        if not isinstance(document, str):
            raise PluginError(f"reader {_name(reader)} must yield text, not {type(document).__name__}")
        text = document if type(document) is str else str.__str__(document)  # a subclass may redefine anything
        try:
            text.encode()
        except UnicodeEncodeError as error:
            message = f"{named(sources)}: document {number:,} holds half a character (a lone surrogate)"
            raise CorpusError(message) from error
        yield text


def check_report(report: ReadReport, reader: Reader) -> None:
    """Raise PluginError unless a reader has left a report that can be shown; it then holds plain numbers."""
    try:
        report.rows, report.files = _count(report.rows), _count(report.files)
        if not isinstance(report.dropped, Mapping):
            raise TypeError(f"dropped is {report.dropped!r:.50}")
        report.dropped = {_reason(reason): _count(number) for reason, number in report.dropped.items()}
    except Exception as error:
        raise PluginError(
            f"reader {_name(reader)} leaves a report that cannot be used: {_text(error)}; rows and files must be "
            "numbers, dropped a number for each reason"
        ) from error


def named(sources: Sequence[str]) -> str:
    """Return the sources as they stand in a message."""
    return " ".join(sources)


def _guarded(reader: Reader, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
    """Read on; what a reader raises against its contract becomes an error that names the reader."""
    try:
        found = reader.read(sources, report)
        if isinstance(found, (str, bytes)):
            raise TypeError(f"read returns one {type(found).__name__}, not documents")
        yield from found
    except GenrunError as error:
        if not str(error).strip() or "\n" in str(error):
            raise PluginError(f"reader {_name(reader)} failed: {_text(error)}") from error
        raise
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else named(sources)
        reason = error.strerror if isinstance(error.strerror, str) else ""
        raise CorpusError(f"{where}: {one_line(Exception(reason or _text(error)))}") from error
    except BaseException as error:
        if _is_ours(error):
            raise
        raise PluginError(f"reader {_name(reader)} failed: {_text(error)}") from error


def _is_ours(error: BaseException) -> bool:
    """Return whether an exception comes from outside the reader: Ctrl-C, or what handles a signal."""
    if type(error) in (KeyboardInterrupt, GeneratorExit):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    # What the handler of a signal raises comes from genrun's own code, whatever the reader was doing.
    return not isinstance(error, Exception) and module.partition(".")[0] in ("genrun", "genrun_core")


def _name(reader: Reader) -> str:
    return type(reader).__name__


def _text(error: BaseException) -> str:
    """Return the kind of an exception and its message, if it has one, on one line."""
    kind = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:  # the message is a stranger's code, too
        text = ""
    return f"{kind}: {text}" if text else kind


def _count(number: Any) -> int:
    value = index(number)
    if isinstance(number, bool) or value < 0:
        raise TypeError(f"{number!r:.50} is no number of anything")
    return value


def _reason(reason: Any) -> str:
    if not isinstance(reason, str):
        raise TypeError(f"{reason!r:.50} is no reason")
    return " ".join(str.__str__(reason).split())
