"""``genrun try``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genrun_core.cli.labelling import label_column_option, reader_options

if TYPE_CHECKING:
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model
    from genrun_core.recipes.recipe import Recipe
    from genrun_core.runs.run_folder import RunFolder

__all__ = ["command"]

_TEXTS = 10
_COMPARED = 300  # texts
_SEED = 1


@click.command("try")
@click.argument("corpus", metavar="CORPUS...", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The model file. [default: CORPUS's name]")
@click.option("--reader", help="How the corpus is read (see genrun plugins). [default: the recipe's]")
@click.option("--recipe", "recipe_name", default="default", show_default=True, help="A recipe's name or TOML file.")
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="Override a value of the recipe.")
@label_column_option
@click.option("--minutes", type=float, help="Take fewer epochs if all would take longer than this.")
def command(
    corpus: tuple[str, ...],
    output: Path | None,
    reader: str | None,
    recipe_name: str,
    assignments: tuple[str, ...],
    label_columns: tuple[str, ...],
    minutes: float | None,
) -> None:
    """Look at CORPUS (files, folders, globs), train a model of it, export it, and show ten texts.

    poems.txt becomes the run folder poems and the model file poems.onnx beside it. What is there already is not made
    again, so the same command continues where it was stopped.
    """
    from genrun.cli.io.log_lines import showing_log
    from genrun.contracts.options import parse_assignments
    from genrun_core.backend import spare_memory
    from genrun_core.cli.going_on import going_on
    from genrun_core.corpus.guessed import guessed_recipe
    from genrun_core.evaluation.text_look import judge_texts
    from genrun_core.runs.naming import default_model_file, default_run_folder
    from genrun_export.cli.trying import check_model_file, continued, has_model

    spare_memory()
    overrides = parse_assignments(assignments) | reader_options(label_columns, {})
    run_path = default_run_folder(corpus) if output is None else output.with_name(output.name.removesuffix(".onnx"))
    recipe, sources, guessed = guessed_recipe(corpus, recipe_name, overrides, reader)
    model_file = default_model_file(run_path)
    check_model_file(model_file, run_path)
    run = continued(run_path, sources, recipe, overrides, reader)
    given = _given(recipe_name, reader, assignments, label_columns, minutes)
    again = ("genrun", "try", *corpus, *(() if output is None else ("-o", output)), *given)
    with going_on(run_path, *again), showing_log():
        if run is None:
            _look(recipe, sources, guessed)
            _say_step("train", *corpus, "-o", run_path, *given)
        run = _trained(run, run_path, sources, recipe, minutes)
    if not has_model(run, model_file):
        judge_texts(run)  # the card then says how many words in a row the file may copy
        _export(run_path, model_file)
    _show_texts(run, model_file)


def _given(
    recipe_name: str,
    reader: str | None,
    assignments: tuple[str, ...],
    label_columns: tuple[str, ...],
    minutes: float | None,
) -> tuple[str, ...]:
    """Return the options as ``genrun train`` takes them."""
    options = [] if recipe_name == "default" else ["--recipe", recipe_name]
    options += [] if reader is None else ["--reader", reader]
    options += [part for column in label_columns for part in ("--label-column", column)]
    options += [] if minutes is None else ["--minutes", f"{minutes:g}"]
    return (*options, *(part for assignment in assignments for part in ("--set", assignment)))


def _trained(
    run: RunFolder | None,
    path: Path,
    sources: tuple[str, ...],
    recipe: Recipe,
    minutes: float | None,
) -> RunFolder:
    """Return the run, trained to its end."""
    from genrun.cli.io.output import say
    from genrun_core.training.train import resume, train

    if run is not None and run.is_finished:
        say(f"{path} is trained already{_more_epochs(run)}")
        return run
    if run is not None:
        _say_step("train", "--resume", path)
        return resume(path, minutes=minutes, say=say)
    return train(sources, recipe, path, minutes=minutes, say=say)


def _more_epochs(run: RunFolder) -> str:
    """Return how to train further, if the last epoch was the best, as where ``--minutes`` left some out."""
    recipe = run.recipe()
    if not recipe.model.plugin.trained or run.card()["training"].get("best epoch") != recipe.training.epochs:
        return ""
    more = shlex.join(["genrun", "train", "--resume", str(run.path), "--set", f"epochs={2 * recipe.training.epochs}"])
    return f"; its last epoch was the best, so more may help: {more}"


def _look(recipe: Recipe, sources: tuple[str, ...], guessed: str) -> None:
    """Say how the corpus is read, and in three lines what it is.

    Of standard input, which can be read only once, the training says it.
    """
    from genrun.cli.io.output import say
    from genrun.reading.sources import STANDARD_INPUT
    from genrun_core.corpus.look import look_at
    from genrun_core.corpus.reading import make_reader

    if guessed:
        say(guessed)
    if STANDARD_INPUT not in sources:
        for line in look_at(recipe, make_reader(recipe.reader), sources).lines():
            say(line)


def _export(run: Path, output: Path) -> None:
    from genrun_export.cli.export import export_and_say

    _say_step("export", run, "-o", output)
    export_and_say(run, output, None)


def _show_texts(run: RunFolder, path: Path) -> None:
    """Print ten texts, say what texts of the model are like, and what to type next."""
    from genrun.cli.io.output import show
    from genrun.cli.options.opening import OpeningOptions
    from genrun_core.cli.going_on import say_next
    from genrun_export.cli.trying import prompts_for, texts_of

    model = OpeningOptions("auto", None, "nothing").load(str(path))
    settings = model.settings(seed=_SEED)
    prompts = prompts_for(model, run, _TEXTS)
    begins = prompts == [""]
    texts = texts_of(model, prompts, settings, _TEXTS)
    lines = ("--lines",) if any("\n" in text for text in texts) else ()
    _say_step("generate", path, *(("-n", _TEXTS) if begins else prompts), "--seed", _SEED, *lines)
    show(*(line for text in texts for line in ([*text.split("\n"), ""] if lines else [text])))
    if begins:
        _say_judgement(run, model, settings)
    say_next("genrun", "generate", path, _beginning(texts), "-n", 5, *lines, *_a_label(model))


def _a_label(model: Model) -> tuple[str, ...]:
    """Return ``--label`` with a value that the model has, as an example; nothing for a model without labels."""
    found = (f"{label.name}={label.values[0]}" for label in model.tokenizer.labels.all if label.values)
    return next((("--label", label) for label in found), ())


def _beginning(texts: list[str]) -> str:
    """Return the beginning of a text, as a prompt to try: two words without marks if there are."""
    beginnings = [" ".join(text.split()[:2]) for text in texts if text.split()]
    plain = [words for words in beginnings if words.replace(" ", "").isalpha()]
    return next((words for words in plain if " " in words), (plain or beginnings or [""])[0])


def _say_judgement(run: RunFolder, model: Model, settings: GenerationSettings) -> None:
    from genrun.cli.io.output import say
    from genrun_core.reporting.advice import verdict
    from genrun_core.reporting.model_report import draws_from_all, texts_from_nothing
    from genrun_core.reporting.run_report import documents_of, report_on

    documents = documents_of(run)
    report = documents and report_on(texts_from_nothing(model, settings, _COMPARED), documents)
    if report:
        counted = not run.recipe().model.plugin.trained
        for line in verdict(report, from_all=draws_from_all(settings.decoder), counted=counted):
            say(line)


def _say_step(*words: object) -> None:
    """Print the command that does the next step."""
    from genrun.cli.io.output import say

    say(f"> genrun {shlex.join(map(str, words))}")
