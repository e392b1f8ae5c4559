"""The reader of a corpus where none was named: guessed from its files; and a note where another one fits better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from genrun.errors import OptionError, one_line
from genrun.reading import guess_reader
from genrun.reading.sources import split_source
from genrun_core.recipes.plugins import chosen_plugin
from genrun_core.recipes.recipe import Recipe, load_recipe

__all__ = ["GuessedRecipe", "guessed_recipe", "kind_note"]

_TEXT, _OF_LINES = ("text", "genrun:text"), ("text", "genrun:text", "lyrics-glob", "genrun:lyrics-glob")


class GuessedRecipe(NamedTuple):
    """A recipe with a reader for the sources of a corpus.

    ``sources``: what that reader reads; ``line``: what a user is told of the choice, empty if it is the recipe's own.
    """

    recipe: Recipe
    sources: tuple[str, ...]
    line: str = ""


def guessed_recipe(
    sources: Sequence[str],
    name: str = "default",
    overrides: Mapping[str, str] | None = None,
    reader: str | None = None,
) -> GuessedRecipe:
    """Return the recipe ``name`` as :func:`load_recipe` does, with the reader that ``sources`` seem to need.

    The recipe's reader stays if ``reader`` or ``overrides`` name one, if the recipe has another one than plain
    ``text``, and if the files are plain text. A source that names its own reader (``csv,column=title::a.csv``) is
    read by ``mix``. What ``overrides`` set of the reader's options goes before what is guessed.
    """
    overrides, own = dict(overrides or {}), tuple(sources)
    is_mix = any(split_source(source) for source in sources)
    if (
        reader is not None
        or {"reader", "reader.name"} & set(overrides)
        or not (is_mix or _is_open(load_recipe(name)))
    ):
        return GuessedRecipe(load_recipe(name, overrides, reader), own)
    guess = guess_reader(sources)
    if guess.reader == "text":
        return GuessedRecipe(load_recipe(name, overrides), own)
    guessed = {
        f"reader.{key}": value for key, value in guess.options.items() if not {key, f"reader.{key}"} & set(overrides)
    }
    try:
        recipe = load_recipe(name, {**guessed, **overrides}, guess.reader)
    except OptionError as error:
        raise OptionError(f"{guess.line}; {one_line(error)}") from error
    return GuessedRecipe(recipe, guess.sources, guess.line)


def kind_note(recipe: Recipe, sources: Sequence[str]) -> str | None:
    """Return a line that names the right reader, where files of another kind are read as lines of text."""
    if recipe.reader.name not in _OF_LINES:
        return None
    guess = guess_reader(sources)
    if guess.kind == "XML":
        return "note: every line of these files is a document, although they look like XML, which no reader reads"
    if guess.reader in (*_OF_LINES, "mix", "parquet"):  # what is no text is an error of the reading
        return None
    chosen = "".join(f" --set {key}={value}" for key, value in guess.options.items())
    return (
        f"note: every line of these files is a document, although they look like {guess.kind}: "
        f"--reader {guess.reader}{chosen} reads what they hold"
    )


def _is_open(recipe: Recipe) -> bool:
    """Return whether a recipe leaves its reader to the corpus: it has ``text``, with no option set."""
    choice = recipe.reader
    return choice.name in _TEXT and choice.options == chosen_plugin({"name": "text"}, "reader").options
