"""The documentation as a site, and as pages of a repository: every link leads somewhere, every page can be found."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from genrun.cli.group import cli
from site_commands import command_names, command_page, commands_page
from site_links import anchors, links, target
from support.doctests import modules_with_examples, run_examples

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "examples/*/*.md", "integrations/*/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]
NOT_ON_THE_SITE = {"package.md"}  # the page of the package on an index


def text(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def without_code(page: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    lost = []
    for link in links(text(page)):
        place, fragment = target(link, page)
        if not (REPOSITORY / place).exists() or (fragment and fragment not in anchors(text(place))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_the_same_in_a_repository_and_on_the_site(page: str) -> None:
    headings = anchors(text(page))
    assert len(set(headings)) == len(headings)  # else an anchor depends on the viewer
    lists = re.findall(r"^(?! *(?:[-*]|\d+\.|#+) )\S.*\n(?:- |1\. ).*", without_code(page), re.MULTILINE)
    assert lists == []  # without a blank line before it, it is no list on the site


def test_every_page_is_in_the_menu_of_the_site() -> None:
    menu = set(re.findall(r"^ *- (?:.*: )?([\w-]+\.md)\b", text("mkdocs.yml"), re.MULTILINE))
    pages = {path.name for path in REPOSITORY.glob("docs/*.md")} - NOT_ON_THE_SITE
    assert pages - menu == set(), "add these pages to mkdocs.yml"


def test_the_lists_of_the_readme_are_the_menu_of_the_site() -> None:
    _, _, lists = text("README.md").partition("\n## More\n")
    named = {group: re.findall(r"\(docs/([\w-]+\.md)\)", links) for group, links in _groups(lists, r"([\w ]+): ")}
    _, _, nav = text("mkdocs.yml").partition("\nnav:\n")
    groups = {group: re.findall(r"- ([\w-]+\.md)", lines) for group, lines in _groups(nav, r"  - ([\w ]+):\n")}
    here = {path.name for path in REPOSITORY.glob("docs/*.md")}
    menu = {group: [page for page in pages if page in here] for group, pages in groups.items()}
    assert menu["Training"]
    assert {group: pages for group, pages in named.items() if pages} == {g: each for g, each in menu.items() if each}


def _groups(text: str, heading: str) -> list[tuple[str, str]]:
    parts = re.split(rf"^{heading}", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_of_a_command_has_all_its_options() -> None:
    pages = frozenset(path.name for path in REPOSITORY.glob("docs/*.md"))
    listed = commands_page()
    assert len(command_names()) >= 13
    for name in command_names():
        page = command_page(name, pages)
        command = cli.get_command(click.Context(cli), name)
        assert command
        assert f"[`genrun {name}`]({name}.md)" in listed
        assert page.startswith(f"# genrun {name}\n")
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        assert {option for option in options if option not in page} == set()
        for link in links(page):
            place, fragment = target(link, "docs/commands/page.md")
            assert fragment == "" or fragment in anchors(text(place))
            assert (REPOSITORY / place).is_file()


@pytest.mark.parametrize("name", modules_with_examples(REPOSITORY / "docs" / "site"))
def test_the_examples_of_a_module_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_examples(name, tmp_path, monkeypatch)


@pytest.mark.skipif(not importlib.util.find_spec("material"), reason="needs mkdocs-material: pip install '.[docs]'")
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.html")}
    assert found >= {"index.html", "tutorial.html", "commands/try.html", "contributing.html"}
    for path in (tmp_path / "site").rglob("*.html"):
        content = path.read_text("utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]*src="?(?:https?:)?//', content) == []
        assert (
            re.findall(r'<link[^>]*rel="?(?:stylesheet|preconnect|preload)[^>]*href="?(?:https?:)?//', content) == []
        )
