"""Checks a model file, which may come from a stranger, before anything in it is used.

The bytes are read as protobuf within limits, the metadata as texts, the graph operator by operator. onnxruntime gets
only files that pass. ``docs/model-file.md`` lists the limits.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from genrun.checks.arguments import check_path
from genrun.checks.short_text import shorten, shown
from genrun.errors import ModelFileError, OptionError, one_line
from genrun.loading.external_data import refuse_external_data
from genrun.loading.graph.checking import check_graph
from genrun.loading.graph.constants import ExternalData
from genrun.loading.graph.file import read_onnx
from genrun.loading.graph.interface import NotAStep
from genrun.loading.graph.properties import DIGEST, Properties, digest_of, read_properties
from genrun.loading.graph.protobuf import Malformed
from genrun.loading.graph.rules.value import Refused

__all__ = ["TRUSTS", "FileContent", "MappedFile", "opened"]

TRUSTS = ("nothing", "graph")
_OTHERWISE = "trust='graph' or --trust-graph skips this check"
_LOOKED_AT = 512  # bytes
_MAGIC = (
    (b"PK\x03\x04", "a zip archive (a .keras file is one: genrun export makes a model file of its run folder)"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\x89HDF", "an HDF5 file of Keras: genrun export makes a model file of a run folder"),
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "an array of NumPy"),
)


class FileContent:
    """A model file in memory; ``properties`` are its metadata, JSON texts by key.

    ``path`` is its name in messages; ``given`` is its content if that was not read from ``path``, otherwise None.
    Raises ModelFileError if its metadata cannot be read within their limits.
    """

    def __init__(self, path: Path, content: memoryview, given: bytes | None = None) -> None:
        self.path, self.size, self.given = path, len(content), given
        self._content = content
        try:
            self.properties = read_properties(content)
        except Malformed as error:
            kind = _other_kind(self._content)
            why = f"it is {kind}" if kind else error
            raise ModelFileError(f"{path} is not a readable ONNX model: {why}") from None

    @contextlib.contextmanager
    def checked(self, trust: str = "nothing") -> Iterator[None]:
        """Check the graph; within the block, onnxruntime may open the file.

        ``trust``: ``nothing``, or ``graph`` to check neither graph nor digest. Another thread computes the digest
        during the block; it is compared at the end of the block. Raises ModelFileError.
        """
        if trust not in TRUSTS:
            raise OptionError(f"trust must be {' or '.join(map(repr, TRUSTS))}, not {shorten(repr(trust))}")
        if trust == "graph":
            refuse_external_data(self.path, self._content)
            yield
            return
        with _digest_compared(self.path, self._content, self.properties):
            _check_graph(self.path, self._content)
            yield


class MappedFile(FileContent):
    """The model file at ``path``, mapped into memory; raises ModelFileError if that is not a file."""

    def __init__(self, path: Path) -> None:
        _check_regular(path)
        try:
            with path.open("rb") as file:  # the view keeps the map open
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise _not_opened(path, error) from error
        super().__init__(path, content)


def opened(source: object) -> FileContent:
    """Return the model file at a path, or the one that bytes are, or that a binary file object has from its position.

    Raises OptionError for anything else, ModelFileError for a file that cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return MappedFile(check_path(source, what="a model file"))
    name = "<bytes>"
    if isinstance(source, io.TextIOBase):
        raise OptionError("a model file must be opened in binary mode ('rb')")
    if callable(read := getattr(source, "read", None)):
        label = getattr(source, "name", None)
        name = label if isinstance(label, str) else "<file>"
        try:
            source = read()
        except (OSError, ValueError) as error:  # ValueError: a closed file
            raise _not_opened(Path(name), error) from error
    if not isinstance(source, (bytes, bytearray, memoryview)):
        raise OptionError(f"a model file must be given as a path, bytes or a binary file, not {shown(source)}")
    given = bytes(source)
    if not given:
        raise ModelFileError(f"{name} is empty, not a model file")
    return FileContent(Path(name), memoryview(given), given)


def _check_regular(path: Path) -> None:
    """Raise ModelFileError unless ``path`` is a regular file with content; a pipe or a device might never end."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: an impossible path, such as one with a NUL
        raise _not_opened(path, error) from error
    if stat.S_ISDIR(found.st_mode):
        hint = " (a run folder: genrun export makes a model file of it)" if (path / "run.toml").exists() else ""
        raise ModelFileError(f"{path} is a folder, not a model file{hint}")
    if not stat.S_ISREG(found.st_mode):
        raise ModelFileError(f"{path} is not an ordinary file, but a pipe or a device")
    if not found.st_size:
        raise ModelFileError(f"{path} is empty, not a model file")


def _not_opened(path: Path, error: OSError | ValueError) -> ModelFileError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
    name = shorten(str(path), 200)
    return ModelFileError(f"{name if name.isprintable() else repr(name)}: cannot open the model file: {why}")


def _check_graph(path: Path, content: memoryview) -> None:
    """Raise ModelFileError for a graph that is not safe to run."""
    try:
        check_graph(read_onnx(content))
    except ExternalData:
        raise ModelFileError(
            f"{path} keeps tensors in other files; a genrun model is one file that carries everything"
        ) from None
    except Malformed as error:
        raise ModelFileError(f"{path} is not a readable ONNX model: {error}; {_OTHERWISE}") from None
    except NotAStep as error:
        raise ModelFileError(f"{path}: {error}") from None
    except Refused as error:
        raise ModelFileError(f"{path}: the graph is refused: {error}; {_OTHERWISE}") from None


@contextlib.contextmanager
def _digest_compared(path: Path, content: memoryview, properties: Properties) -> Iterator[None]:
    """Raise ModelFileError at the end of the block, or in place of its own, if the file does not match its digest."""
    signed = properties.signed
    if signed is None:
        yield
        return
    found: list[str] = []

    def compute() -> None:
        found.append(digest_of(content, signed))

    thread = threading.Thread(target=compute, name="genrun-digest")
    try:
        thread.start()
    except RuntimeError:  # no thread is available
        compute()
    refused: ModelFileError | None = None
    try:
        yield
    except ModelFileError as error:  # of a damaged file, that it is damaged says more
        refused = error
    finally:
        if thread.ident is not None:
            thread.join()
    if found != [properties[DIGEST]]:
        raise ModelFileError(
            f"{path} is damaged: its content is not what its digest ({DIGEST}) says; trust='graph' or --trust-graph "
            "opens it if you changed it yourself"
        )
    if refused is not None:
        raise refused


def _other_kind(content: memoryview) -> str:
    """Return what ``content`` is, if it is a well-known kind of file, and empty if it may be a damaged model.

    >>> _other_kind(memoryview(b"Dear model, ...")), _other_kind(memoryview(bytes([8, 8, 18])))
    ('a text file', '')
    """
    begins = bytes(content[:_LOOKED_AT])
    for magic, kind in _MAGIC:
        if begins.startswith(magic):
            return kind
    text = begins.decode("utf-8", "ignore")
    is_whole = len(text.encode()) >= len(begins) - 3  # a character may be cut at the end
    return "a text file" if is_whole and all(c.isprintable() or c in "\t\n\r\ufeff" for c in text) else ""
