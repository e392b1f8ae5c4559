"""The reader ``subtitles``: one document per caption of SubRip files (``.srt``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from genrun.plugins import CorpusFile, FileReader

__all__ = ["Subtitles"]

_TIME = re.compile(r"\d+:\d\d:\d\d[,.]\d+ --> \d+:\d\d:\d\d[,.]\d+")
_SOUND = re.compile(r"[\[(♪].*[\])♪]")


@dataclass(frozen=True, slots=True)
class Subtitles(FileReader):
    """The captions of SubRip files, the lines of each joined by spaces.

    A folder means its ``.srt`` files. Captions of sounds (``[door opens]``) are dropped as "sound", unless ``sounds``
    is set.

    >>> import pathlib, tempfile
    >>> from genrun import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "film.srt")
    ...     _ = path.write_text("1\\n00:00:01,000 --> 00:00:02,500\\nThe ferry\\nis late.\\n")
    ...     list(Subtitles().read([folder], ReadReport()))
    ['The ferry is late.']
    """

    contract: ClassVar[int] = 2
    suffixes = (".srt",)
    example = ("film.srt", "1\n00:00:01,000 --> 00:00:02,500\nThe ferry\nis late.\n")  # for genrun plugins check
    looked_for = "captions below lines such as 00:00:01,000 --> 00:00:02,500"
    noun: ClassVar[str] = "captions"  # what messages call the documents

    sounds: bool = False

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the captions of one file; blank ones are dropped as "empty"."""
        caption: list[str] | None = None
        for number, line in enumerate(file.lines(), 1):
            if _TIME.match(line):
                caption = []
            elif caption is not None and line.strip():
                caption.append(line.strip())
            elif caption is not None:
                yield from self._kept(file, " ".join(caption))
                caption = None
            elif line.strip() and not line.strip().isdecimal():
                file.bad(
                    "a caption begins with its number and a line such as 00:00:01,000 --> 00:00:02,500", line=number
                )
        if caption is not None:
            yield from self._kept(file, " ".join(caption))

    def _kept(self, file: CorpusFile, caption: str) -> Iterator[str]:
        if _SOUND.fullmatch(caption) and not self.sounds:
            file.drop("sound")
        else:
            yield caption
