"""Reading documents with a reader, which may be a stranger's: what it breaks becomes one line that names it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genrun import registry
from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import short_line
from genrun.contracts import Document, Reader, ReadReport
from genrun.errors import CorpusError, OptionError, PluginError, cause
from genrun.reading.sources import shown_source
from genrun_core.recipes.sections import PluginChoice

__all__ = ["first_document", "make_reader", "named", "read_documents"]


def make_reader(choice: PluginChoice) -> Reader:
    """Return the reader of a recipe; raises OptionError for one that a program gave as an object."""
    if choice.class_path:
        raise OptionError(
            f"the reader was an object of the class {choice.class_path}, which no file holds: name another"
        )
    return registry.make_reader(choice.name, choice.options)


def first_document(reader: Reader, sources: Sequence[str]) -> str | None:
    """Return the first document, to learn early whether the sources can be read at all."""
    return next(read_documents(reader, sources), None)


def read_documents(reader: Reader, sources: Sequence[str], report: ReadReport | None = None) -> Iterator[str]:
    """Yield the documents of a reader, held to its contract: what it breaks becomes an error that names it."""
    for number, document in enumerate(_guarded(reader, sources, report or ReadReport()), 1):
        if not isinstance(document, str):
            raise PluginError(f"reader {type(reader).__name__} must yield text, not {type(document).__name__}")
        is_known = type(document) is str or type(document) is Document
        text = document if is_known else str.__str__(document)  # a subclass may redefine anything
        try:
            text.encode()
        except UnicodeEncodeError as error:
            message = f"{named(sources)}: document {number:,} holds half a character (a lone surrogate)"
            raise CorpusError(message) from error
        yield text


def named(sources: Sequence[str]) -> str:
    """Return the sources as they stand in a message."""
    return " ".join(map(shown_source, sources))


def _guarded(reader: Reader, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
    """Read on; what a reader raises against its contract becomes an error that names the reader."""
    try:
        found = reader.read(sources, report)
        if isinstance(found, (str, bytes)):
            raise TypeError(f"read returns one {type(found).__name__}, not documents")
        yield from found
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else named(sources)
        reason = error.strerror if isinstance(error.strerror, str) else ""
        raise CorpusError(f"{where}: {short_line(reason) or cause(error)}") from error
    except GeneratorExit:  # nobody asks for more
        raise
    except BaseException as error:
        blame(f"reader {type(reader).__name__} failed", error)
