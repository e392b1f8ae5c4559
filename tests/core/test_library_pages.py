"""Memory that holds code of libraries: given back while a large network trains, and only what is as on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from genrun_core import library_pages

_SMAPS = """\
7f1000000000-7f1000010000 r-xp 00001000 08:01 42          /usr/lib/libsea.so.2.1
Size:                 64 kB
Rss:                  32 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
7f1000010000-7f1000020000 r--p 00011000 08:01 42          /usr/lib/libsea.so.2.1
Rss:                  32 kB
Anonymous:             4 kB
7f1000020000-7f1000030000 rw-p 00021000 08:01 42          /usr/lib/libsea.so.2.1
Anonymous:             0 kB
7f1000030000-7f1000040000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f1000040000-7f1000050000 r--p 00000000 08:01 43          /home/ann/corpus.bin
Anonymous:             0 kB
7f1000050000-7f1000060000 r--p 00000000 08:01 44          /usr/lib/moon.cpython-311-x86_64-linux-gnu.so
Anonymous:             0 kB
"""

_RELEASED = """
import re
from pathlib import Path
import numpy as np
from genrun_core.library_pages import release_library_pages
def held():
    return int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, wanted = held(), np.linalg.inv(np.eye(3) * 2).sum()
release_library_pages()
print(before, held(), np.linalg.inv(np.eye(3) * 2).sum() == wanted)
"""


def test_only_libraries_without_a_page_of_the_process_are_released() -> None:
    """A page that the process has changed would be lost, and so would one of memory that is no file."""
    found = [int(mapping[1], 16) for mapping in library_pages._UNCHANGED.finditer(_SMAPS)]
    assert found == [0x7F1000000000, 0x7F1000050000]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what a process has mapped")
def test_a_process_that_released_its_libraries_goes_on() -> None:
    """Most of the pages go, and the libraries work as before."""
    done = subprocess.run([sys.executable, "-c", _RELEASED], capture_output=True, text=True, check=True, timeout=60)
    before, after, same = done.stdout.split()
    assert int(after) < int(before) / 2
    assert same == "True"


def test_without_a_list_of_mappings_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Some containers have no /proc."""
    monkeypatch.setattr(library_pages, "_MAPPINGS", tmp_path / "smaps")
    library_pages.release_library_pages()  # raises no FileNotFoundError
