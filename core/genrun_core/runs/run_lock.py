"""The lock on a run folder: one training at a time, held by the process and given up by the system when it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from genrun.errors import RunFolderError

__all__ = ["LOCK", "training_lock"]

LOCK = ".lock"  # beside run.toml, while a training runs; what a kill leaves is not locked and is no obstacle
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK}
_PLACE = 1 << 30  # of the byte that Windows locks: behind the text, which stays readable
_FOREIGN = "{} must be a file of its own, not a link or a folder: delete it"
_held: set[int] = set()


@contextlib.contextmanager
def training_lock(folder: Path, say: Callable[[str], object] = lambda line: None) -> Iterator[None]:
    """Hold ``folder`` for one training; it is made if it does not exist, and removed again if it stays empty.

    Raises RunFolderError if another training holds it, in this process or any other. Nothing is held where nothing
    can be written anyway; a file system without locks is a note to ``say``.
    """
    made = not folder.exists()
    file = _acquire(folder, say)
    try:
        yield
    finally:
        if file is not None:
            _release(folder / LOCK, file)
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _acquire(folder: Path, say: Callable[[str], object]) -> int | None:
    path = folder / LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = _open(path)
        except FileNotFoundError:  # another training that failed has just removed the folder
            continue
        if file is None:
            return None
        try:
            if not _lock(file):
                raise RunFolderError(
                    f"{folder} is in training by {_holder(file)}: wait until that ends, or choose another folder"
                )
        except OSError as error:
            say(f"note: {folder} cannot be locked ({error.strerror}): start no other training there meanwhile")
        except RunFolderError:
            os.close(file)
            raise
        if _is_there(path, file):  # otherwise its holder removed it in the meantime
            with contextlib.suppress(OSError):
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()} {socket.gethostname()}\n".encode())
            _held.add(file)
            return file
        os.close(file)


def _open(path: Path) -> int | None:
    """Open the lock file, never through a link; None if the folder cannot be written to."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        file = os.open(path, flags, 0o666)
    except OSError as error:
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise RunFolderError(_FOREIGN.format(path)) from error
        if isinstance(error, PermissionError) and not os.access(path.parent, os.W_OK):
            return None
        if error.errno == errno.EROFS:
            return None
        raise
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        os.close(file)
        raise RunFolderError(_FOREIGN.format(path))
    return file


def _is_there(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False


def _holder(file: int) -> str:
    """Return who holds the lock, as far as the file says."""
    with contextlib.suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        process, _, host = os.read(file, 300).decode("utf-8", "replace").strip().partition(" ")
        if process.isdecimal():
            return f"process {process}" + (f" on {host!r}" if host != socket.gethostname() else "")
    return "another process"


def _release(path: Path, file: int) -> None:
    _held.discard(file)
    if sys.platform == "win32":  # where an open file cannot be removed
        os.close(file)
        with contextlib.suppress(OSError):
            path.unlink()
        return
    with contextlib.suppress(OSError):
        if _is_there(path, file):  # whoever opened it before sees that it is gone, and makes another
            path.unlink()
    os.close(file)


def _lock(file: int) -> bool:
    """Return whether the lock could be taken; raises OSError where the file system has none."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _PLACE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def _leave_to_parent() -> None:
    """Close what a forked child has inherited: a lock ends with the training, not with its children."""
    for file in _held:
        with contextlib.suppress(OSError):
            os.close(file)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
