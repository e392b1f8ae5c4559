"""The reader ``html``: the visible text of web pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from genrun.reading import CorpusFile, FileReader
from genrun_plugins.readers._records import BLOCKS, check_documents, units

__all__ = ["Html"]

_HIDDEN = {"script", "style", "template", "noscript", "svg", "math", "head", "select", "textarea", "button", "iframe"}
_CODE = {"pre"}
_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd"),
    *("label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
}


@dataclass(frozen=True, slots=True)
class Html(FileReader):
    r"""The text that a browser shows: a document for each paragraph, heading, list item, table cell, ….

    Scripts, styles, the head and form fields are no text; blocks of code are dropped as "code block". White space is
    one space; ``<br>`` is a line break. ``documents``: ``blocks``, or ``files`` for a page as a whole, with blank
    lines between its blocks. A folder means its ``.html``, ``.htm`` and ``.xhtml`` files.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "page.html")
    ...     _ = path.write_text("<h1>Tides</h1><p>The <b>sea</b> &amp; the sky.<script>f()</script>")
    ...     list(Html().read([folder], ReadReport()))
    ['Tides', 'The sea & the sky.']
    """

    suffixes = (".html", ".htm", ".xhtml")
    looked_for = "visible text"
    reads = ("HTML", "plain text")
    example = ("page.html", "<html><body><p>The sea is wide.</p><p>The moon is low.</p></body></html>\n")

    documents: str = "blocks"

    def check(self) -> None:
        """Refuse another unit."""
        check_documents(self.documents, BLOCKS)

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the blocks, or the whole text, of a page."""
        yield from units(self._blocks(file), self.documents)

    def _blocks(self, file: CorpusFile) -> Iterator[str]:
        parser = _Parser()
        for piece in file.pieces():
            parser.feed(piece)
            yield from parser.take()
        parser.close()
        parser.end_block()
        yield from parser.take()
        if parser.code_blocks:
            file.drop("code block", parser.code_blocks)


class _Parser(HTMLParser):
    """Collects the blocks of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.code_blocks = 0
        self._blocks: list[str] = []
        self._text: list[str] = []
        self._hidden: list[str] = []  # the elements that hide what is in them, from the outermost

    def take(self) -> list[str]:
        """Return the blocks that are complete."""
        blocks, self._blocks = self._blocks, []
        return blocks

    def end_block(self) -> None:
        """End the block that is read; one without text is none."""
        lines = [" ".join(line.split()) for line in "".join(self._text).split("\0")]
        if text := "\n".join(lines).strip():
            self._blocks.append(text)
        self._text = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, or what is hidden."""
        if self._hidden and tag == "body":  # a head without an end
            self._hidden = []
        if tag in _HIDDEN | _CODE:
            self.code_blocks += tag in _CODE and not self._hidden
            self._hidden.append(tag)
        if tag == "br":
            self._text.append("\0")
        elif tag not in _INLINE:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        """End a block, or what is hidden."""
        if tag in self._hidden:
            del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
        if tag not in _INLINE and tag != "br":
            self.end_block()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read ``<br/>`` as ``<br>``; other elements that end at once have no text."""
        if tag not in _HIDDEN | _CODE:
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        """Take text that is shown."""
        if not self._hidden:
            self._text.append(re.sub("\0", "", data))
