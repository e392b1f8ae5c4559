"""The base of readers of files: an author writes what the documents of one file are, everything else is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genrun.contracts import ReadReport
from genrun.errors import CorpusError
from genrun.reading.corpus_file import CorpusFile
from genrun.reading.decoding import check_encoding
from genrun.reading.labelling import fixed_labels, labelled
from genrun.reading.opening import bare_name, members
from genrun.reading.sieve import Sieve, check_sieve
from genrun.reading.sources import STANDARD_INPUT, expand, shown_source

__all__ = ["FileReader"]

_NAMED = 3  # sources in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReader:
    """Reads files, folders, globs and standard input, plain or compressed; a subclass says what a document is.

    A subclass is a frozen dataclass with a method :meth:`texts`; its fields are its options. It may set

    - ``suffixes``: the endings of the files that a folder or a zip archive means;
    - ``noun``: what messages call the documents;
    - ``looked_for``: what is missing if there is no document at all;
    - ``blank``: the reason for which blank texts are dropped;
    - ``example``: the name of a small file and its text, with which ``genrun plugins check`` checks the reader;
    - ``reads``: the titles of the kinds of file that it is for (:mod:`genrun.reading.kinds`); an error in a file of
      another kind then names the right reader.

    Options of every such reader: ``encoding``; ``skip_bad``, to count rows and files that cannot be read rather than
    stop at the first; ``drop_pattern``, a regular expression, drops the documents in which it is found;
    ``minimum_length`` and ``maximum_length`` in characters, 0 for any; ``deduplicate`` keeps the first of equal
    documents (about 60 bytes of memory a document); ``sample``, the share of documents to keep, which a hash of each
    document decides; ``keep_frame`` keeps the header and licence of Project Gutenberg; ``label``, ``NAME=VALUE``,
    is a label of all documents.

    Every record is counted: rows = documents + dropped ones, by reason.

    >>> import pathlib, tempfile
    >>> @dataclass(frozen=True, slots=True)
    ... class Sentences(FileReader):
    ...     suffixes = (".txt",)
    ...     mark: str = "."
    ...     def texts(self, file):
    ...         for line in file.lines():
    ...             yield from line.split(self.mark)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "a.txt").write_text("The sea is wide. A gull.")
    ...     report = ReadReport()
    ...     list(Sentences(minimum_length=8).read([folder], report)), report.rows, report.dropped
    (['The sea is wide'], 3, {'too short': 1, 'empty': 1})
    """

    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    blank: ClassVar[str] = "empty"
    reads: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[tuple[str, str] | None] = None

    encoding: str = "utf-8"
    skip_bad: bool = False
    drop_pattern: str = ""
    minimum_length: int = 0
    maximum_length: int = 0
    deduplicate: bool = False
    sample: float = 1.0
    keep_frame: bool = False
    label: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the options that all readers have, then call :meth:`check`."""
        check_encoding(self.encoding)
        check_sieve(self.drop_pattern, self.minimum_length, self.maximum_length, self.sample)
        fixed_labels(self.label)
        self.check()

    def check(self) -> None:
        """Raise OptionError for options of the subclass that cannot be used."""

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the texts of one file; :class:`CorpusFile` has its lines, and counts what is left out."""
        raise NotImplementedError

    @property
    def looked_for(self) -> str:
        """What messages say that was looked for, when no document was found."""
        return "texts that are not blank"

    @property
    def files_meant(self) -> str:
        """What messages say that a folder should have."""
        *others, last = self.suffixes
        return f"file that ends in {', '.join(others)} or {last}" if others else f"file that ends in {last}"

    def accepts(self, name: str) -> bool:
        """Return whether a folder or an archive means the file of this name."""
        return bare_name(name).endswith(self.suffixes)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the documents of files, folders, globs or standard input (``-``), each file when it is reached.

        Raises CorpusError, naming file and line, for what cannot be read, and if there is no document at all.
        """
        files = expand(sources, self.accepts, self.files_meant, standard_input=True)
        sieve = Sieve(
            self.drop_pattern,
            self.minimum_length,
            self.maximum_length,
            deduplicate=self.deduplicate,
            sample=self.sample,
        )
        found, last = False, None
        for path in files:
            for file in self._files(path, report):
                last = file
                for document in self._documents(file, sieve, report):
                    found = True
                    yield document
        if not found:
            raise self._nothing(sources, report, last)

    def _files(self, path: str, report: ReadReport) -> Iterator[CorpusFile]:
        """Yield the file at ``path``, or the files that a zip archive there has."""
        try:
            names = members(path, self.accepts)
        except CorpusError as error:
            report.file()
            self._skip(error, report)
            return
        for member in names if names is not None else [""]:
            yield CorpusFile(
                path,
                member,
                encoding=self.encoding,
                skip_bad=self.skip_bad,
                keep_frame=self.keep_frame,
                report=report,
            )

    def _documents(self, file: CorpusFile, sieve: Sieve, report: ReadReport) -> Iterator[str]:
        report.file()
        try:
            keeps_all = sieve.keeps_all and not self.skip_bad  # the usual case, in which time matters
            count = report.row
            texts = labelled(self.texts(file), fixed_labels(self.label)) if self.label else self.texts(file)
            for text in texts:
                blank = not text or text.isspace()
                reason = self.blank if blank else None if keeps_all else sieve.reason(text)
                if reason is None:
                    count()
                    yield text
                else:
                    file.drop(reason)
        except CorpusError as error:
            hint = "" if "--reader" in str(error) else self._hint(file)
            self._skip(CorpusError(f"{error}{hint}"), report)

    def _skip(self, error: CorpusError, report: ReadReport) -> None:
        """Raise ``error``; with ``skip_bad``, count what it keeps from being read as one row."""
        if not self.skip_bad:
            raise error
        report.row()
        report.drop("unreadable")
        report.note(f"{error}; the rest of the file is skipped")

    def _hint(self, file: CorpusFile) -> str:
        """Return which reader a file of another kind needs, as the end of a message; empty if it is of ours."""
        kind = file.kind() if self.reads else None
        if kind is None or not kind.reader or kind.title in self.reads or kind.reader == "text":
            return ""
        return f"; the file looks like {kind.title}: --reader {kind.reader}"

    def _nothing(self, sources: Sequence[str], report: ReadReport, last: CorpusFile | None) -> CorpusError:
        named = ", ".join(shown_source(source) for source in sources[:_NAMED])
        more = f" and {len(sources) - _NAMED:,} more" if len(sources) > _NAMED else ""
        dropped = ", ".join(f"{count} {reason}" for reason, count in report.dropped.items()) or "none"
        counts = f"files: {report.files}, rows: {report.rows}, dropped: {dropped}"
        once = "; standard input can be read only once" if STANDARD_INPUT in sources else ""
        hint = "".join(f"; {note}" for note in report.notes[:1]) + (self._hint(last) if last else "")
        return CorpusError(f"no document found in {named}{more} ({counts}); looked for {self.looked_for}{once}{hint}")
