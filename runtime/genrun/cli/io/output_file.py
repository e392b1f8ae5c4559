"""A file of texts that a killed command leaves unfinished, and that a later one continues with the same bytes.

Texts are written to ``OUT.partial``, and ``OUT.partial.json`` says what makes them, for how many prompts they are
complete, and how many bytes these texts have. When all texts are there, a rename makes ``OUT`` of ``OUT.partial``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from genrun.checks.printable import printable
from genrun.checks.short_text import shown
from genrun.cli.io.json_line import json_line
from genrun.errors import GenrunError, OptionError

__all__ = ["OutputFile", "Unfinished", "check_settings"]

_SECONDS = 1.0  # between two records of how far the file is
_BLOCK_BYTES = 2**18


class Unfinished(NamedTuple):
    """What ``OUT.partial.json`` says: how many prompts are ``done``, their ``digest``, the ``bytes`` of their texts.

    ``settings``: what the texts depend on, JSON values by name.
    """

    settings: Mapping[str, Any]
    done: int = 0
    bytes: int = 0
    digest: str = ""

    @classmethod
    def read(cls, output: Path) -> Unfinished | None:
        """Return how far ``output`` is, None if it was not begun; raises GenrunError for a damaged record."""
        partial, record = _partial(output), _record(output)
        if not partial.exists():
            return None
        try:
            found = cls(**json.loads(record.read_text("utf-8")))
            if [type(value) for value in (found.settings, found.done, found.bytes)] != [dict, int, int]:
                raise ValueError
            if not 0 <= found.bytes <= partial.stat().st_size:
                raise ValueError
        except (OSError, ValueError, TypeError):
            raise GenrunError(f"{record} does not say how far {partial} is: delete both, and begin again") from None
        return found


class OutputFile:
    """Writes the lines of ``output``; with ``unfinished``, behind what an earlier command has written.

    Leaving the context without an error gives the file its name; after an error, what is complete stays as
    ``OUT.partial``, and ``say`` gets a line on it. Raises GenrunError if an unfinished file is there that is not to
    be continued, or if another process is writing it.
    """

    def __init__(
        self,
        output: Path,
        settings: Mapping[str, Any],
        unfinished: Unfinished | None,
        say: Callable[[str], object],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output, self._say, self._clock = output, say, clock
        if output.exists() and not output.is_file():
            raise OptionError(f"{output} is not an ordinary file; without -o, texts are printed")
        if unfinished is None and _partial(output).exists():
            raise GenrunError(f"{_partial(output)} is unfinished: go on with --resume, or delete it")
        if unfinished is not None:
            check_settings(_partial(output), unfinished.settings, settings)
        self._state = unfinished or Unfinished(dict(settings))
        self._read = hashlib.blake2b(digest_size=16)  # of the prompts so far
        self._seen = 0  # prompts, of which the first ``done`` of an earlier command are skipped
        self._continues = self._state.done == 0  # whether the texts to come belong behind those that are there
        self._lines: list[bytes] = []
        self._bytes = self._written = self._state.bytes
        if unfinished is None:
            output.parent.mkdir(parents=True, exist_ok=True)
            self._save()
        self._file = _partial(output).open("r+b" if unfinished else "xb", buffering=0)
        _lock(self._file, output)
        self._file.truncate(self._bytes)
        self._file.seek(self._bytes)
        self._saved = clock()

    @property
    def done(self) -> int:
        """The number of prompts whose texts are complete."""
        return self._state.done

    def skip(self, prompt: str) -> bool:
        """Return whether the texts of the next ``prompt`` are in the file already.

        Raises GenrunError if the prompts so far are not those that the file was begun with.
        """
        if self._continues:
            return False
        self._hash(prompt)
        if self._seen == self._state.done:
            self._check_skipped()
        return True

    def _check_skipped(self) -> None:
        """Raise GenrunError unless the prompts that were skipped are those whose texts are in the file."""
        self._continues = self._seen == self._state.done and self._read.hexdigest() == self._state.digest
        if not self._continues:
            first = f"the first {self._state.done:,} are not the same"
            raise GenrunError(f"{_partial(self._output)} was begun with other prompts: {first}")

    def write(self, line: str) -> None:
        """Add a line, given without its end."""
        self._add(f"{printable(line)}\n")

    def write_json(self, value: Any) -> None:
        """Add a line that is a JSON document."""
        self._add(f"{json_line(value)}\n")

    def complete(self, prompt: str) -> None:
        """Note that all texts of the next ``prompt`` have been written."""
        self._hash(prompt)
        self._state = self._state._replace(done=self._seen, bytes=self._bytes)
        if self._clock() - self._saved >= _SECONDS:
            self._checkpoint()

    def flush(self) -> None:
        """Write the collected lines."""
        try:
            left = memoryview(b"".join(self._lines))
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            error.filename = str(_partial(self._output))
            raise
        self._lines, self._written = [], self._bytes

    def __enter__(self) -> OutputFile:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        try:
            if error is None and not self._continues:
                self._check_skipped()
            if self._continues:
                self._checkpoint()
        finally:
            self._file.close()
        if error is not None:
            texts = f"the texts of {self.done:,} prompts are in {_partial(self._output)}"
            self._say(f"note: {texts}; --resume goes on behind them")
            return
        os.replace(_partial(self._output), self._output)
        _record(self._output).unlink(missing_ok=True)

    def _add(self, line: str) -> None:
        encoded = line.encode(errors="backslashreplace")
        self._lines.append(encoded)
        self._bytes += len(encoded)
        if self._bytes - self._written >= _BLOCK_BYTES:
            self.flush()

    def _hash(self, prompt: str) -> None:
        self._seen += 1
        encoded = prompt.encode(errors="surrogatepass")
        self._read.update(len(encoded).to_bytes(8, "little") + encoded)

    def _checkpoint(self) -> None:
        """Bring the texts to the disk, and then the record of them."""
        self.flush()
        os.fsync(self._file.fileno())
        self._save()
        self._saved = self._clock()

    def _save(self) -> None:
        self._state = self._state._replace(digest=self._read.hexdigest())
        text = json.dumps(self._state._asdict(), ensure_ascii=False)
        beside = _record(self._output).with_suffix(".new")
        with beside.open("w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, _record(self._output))


def check_settings(begun: Path, before: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise OptionError if the texts in ``begun`` are of other settings, those ``before``."""
    for name, value in settings.items():
        if before.get(name) != value:
            raise OptionError(f"{begun} was begun with another {name}: {shown(before.get(name))}, now {shown(value)}")


def _partial(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial")


def _record(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial.json")


def _lock(file: FileIO, output: Path) -> None:
    """Hold the file for this process; raises GenrunError if another one does."""
    try:
        import fcntl
    except ImportError:  # Windows, which lets no second process rename the file while it is open
        return
    with contextlib.suppress(OSError):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise GenrunError(f"{_partial(output)} is being written by another process") from None
