"""What ``mkdocs build`` does besides: the pages of commands, and pages and files from outside docs/.

The pages of docs/ link to files of the repository, as a reader of the repository needs it. The site has pages or
copies of these, so that its links stay within the site.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from site_commands import command_names, command_page, commands_page
from site_links import anchor, links, replace_links, target

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_REPOSITORY = Path(__file__).parents[2]
_PAGES = {  # places in the repository that are pages of the site
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/genrun-plugin-example/README.md": "plugin-example.md",
    "examples/genrun-plugin-rhyme/README.md": "plugin-rhyme.md",
    "integrations/llm-genrun/README.md": "llm-genrun.md",
    "integrations/lm-eval-genrun/README.md": "lm-eval-genrun.md",
    "examples/genrun-plugin-attention/README.md": "plugin-attention.md",
    "examples/async-web/README.md": "example-async-web.md",
    "examples/text-box/README.md": "example-text-box.md",
    "examples/notebook/README.md": "example-notebook.md",
    "examples/github-pages/README.md": "example-github-pages.md",
}
_SHOWN_BY = {  # other places that have a page
    "README.md": "index.md",
    "benchmarks": "benchmarks.md",
    "examples/genrun-plugin-example": "plugin-example.md",
    "examples/genrun-plugin-rhyme": "plugin-rhyme.md",
    "integrations/llm-genrun": "llm-genrun.md",
    "integrations/lm-eval-genrun": "lm-eval-genrun.md",
    "examples/genrun-plugin-attention": "plugin-attention.md",
    "examples/async-web": "example-async-web.md",
    "examples/text-box": "example-text-box.md",
    "examples/notebook": "example-notebook.md",
    "examples/github-pages": "example-github-pages.md",
}
_PLACES = {site: place for place, site in _PAGES.items()}
_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_COPIES = "files"  # where copies of other files are


def on_config(config: MkDocsConfig) -> None:
    """Give headings the anchors that viewers of repositories give them, and the commands their place in the menu."""
    config.mdx_configs["toc"] = {**config.mdx_configs.get("toc", {}), "slugify": anchor}
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Commands" in entry:
            entry["Commands"] = ["commands/index.md", *(f"commands/{name}.md" for name in command_names())]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages of commands, the pages from outside docs/, and the files that pages link to."""
    pages = frozenset(file.src_uri for file in files.documentation_pages())
    add = partial(File.generated, config)
    files.append(add("commands/index.md", content=commands_page()))
    for name in command_names():
        files.append(add(f"commands/{name}.md", content=command_page(name, pages)))
    for site, place in _PLACES.items():
        files.append(add(site, content=(_REPOSITORY / place).read_text("utf-8")))
    for page in [*pages, *_PLACES]:
        for link in links((_REPOSITORY / _place(page)).read_text("utf-8")):
            place, _ = target(link, _place(page))
            copy = f"{_COPIES}/{place}"
            if _uri(place) == copy and (_REPOSITORY / place).is_file() and files.get_file_from_path(copy) is None:
                files.append(add(copy, abs_src_path=str(_REPOSITORY / place)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at the site's pages and copies."""
    del config, files
    uri = page.file.src_uri
    if uri.startswith("commands/"):
        return markdown

    def link_within_the_site(link: str) -> str:
        if link not in relative:
            return link
        place, fragment = target(link, _place(uri))
        path = posixpath.relpath(_uri(place), posixpath.dirname(uri) or ".")
        return path + (f"#{fragment}" if fragment else "")

    relative = frozenset(links(markdown))
    return _ROW.sub(_plain_pipes, replace_links(markdown, link_within_the_site))


def _plain_pipes(row: re.Match[str]) -> str:
    """Return a row of a table without the backslashes before pipes in code: there, mkdocs would show them."""
    return _CODE.sub(lambda code: code[0].replace(r"\|", "|"), row[0])


def _place(uri: str) -> str:
    """Return where in the repository a page of the site is."""
    return _PLACES.get(uri, f"docs/{uri}")


def _uri(place: str) -> str:
    """Return where on the site a place of the repository is."""
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    return _PAGES.get(place) or _SHOWN_BY.get(place) or f"{_COPIES}/{place}"
