"""The reader ``markdown``: the visible text of Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrun.errors import MissingExtraError
from genrun.reading import CorpusFile, FileReader
from genrun_plugins.readers._records import BLOCKS, check_documents, units

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Markdown"]

_FRONT_MATTER = re.compile(r"---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_DROPPED = {"fence": "code block", "code_block": "code block", "html_block": "HTML block"}


@dataclass(frozen=True, slots=True)
class Markdown(FileReader):
    r"""The text that a reader of the page sees: a document for each paragraph, heading, list item or table row.

    Marks of emphasis, link targets and images' files are left out. Blocks of code are dropped as "code block", of
    HTML as "HTML block", the front matter (``---``) as "front matter". ``documents``: ``blocks``, or ``files`` for a
    file as a whole, with blank lines between its blocks. A folder means its ``.md`` and ``.markdown`` files. The
    syntax is that of CommonMark, with tables.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "page.md")
    ...     _ = path.write_text("# Tides\n\nThe *sea* and\nthe [sky](sky.md).\n\n    code()\n")
    ...     list(Markdown().read([folder], ReadReport()))
    ['Tides', 'The sea and the sky.']
    """

    suffixes = (".md", ".markdown")
    looked_for = "paragraphs, headings and list items"
    reads = ("Markdown", "plain text")
    example = ("page.md", "# The sea\n\nThe sea is wide.\n\nThe moon is low.\n")

    documents: str = "blocks"

    def check(self) -> None:
        """Refuse another unit."""
        check_documents(self.documents, BLOCKS)

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the blocks, or the whole text, of a file."""
        yield from units(self._blocks(file), self.documents)

    def _blocks(self, file: CorpusFile) -> Iterator[str]:
        try:
            from markdown_it import MarkdownIt
        except ImportError as error:
            raise MissingExtraError("reading Markdown needs markdown-it-py", "train") from error
        source = "\n".join(file.lines())
        if front := _FRONT_MATTER.match(source):
            file.drop("front matter")
            source = source[front.end() :]
        cells: list[str] | None = None
        for token in MarkdownIt("commonmark").enable("table").parse(source):
            if token.type in _DROPPED:
                file.drop(_DROPPED[token.type])
            elif token.type == "tr_open":
                cells = []
            elif token.type == "tr_close":
                yield " ".join(cells or [])
                cells = None
            elif token.type == "inline" and cells is not None:
                cells.append(_shown(token))
            elif token.type == "inline":
                yield _shown(token)


def _shown(token: Token) -> str:
    """Return the text of an inline token, without its marks."""
    parts = []
    for child in token.children or ():
        if child.type in ("text", "code_inline", "text_special"):
            parts.append(child.content)
        elif child.type == "image":
            parts.append(_shown(child))
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" " if child.type == "softbreak" else "\n")
    return "".join(parts).strip()
