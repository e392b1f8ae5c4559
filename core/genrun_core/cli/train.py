"""``genrun train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from genrun.cli.io.log_lines import showing_log
from genrun.cli.io.output import say, show
from genrun.cli.options.label import label_option
from genrun_core.cli.going_on import going_on, say_next
from genrun_core.cli.labelling import label_column_option, reader_options

if TYPE_CHECKING:
    from genrun_core.corpus.guessed import GuessedRecipe
    from genrun_core.runs.run_folder import RunFolder
    from genrun_core.training.watch import Watch

__all__ = ["command"]

_ONLY_EPOCHS = "--resume goes on with the corpus and the recipe of the run folder; only --set epochs=… may be new"


@click.command("train")
@click.argument("corpus", nargs=-1)
@click.option("--reader", help="How the corpus is read (see genrun plugins). [default: the recipe's]")
@click.option("--recipe", "recipe_name", default="default", show_default=True, help="A recipe's name or TOML file.")
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="Override a value of the recipe.")
@label_column_option
@label_option("A label of all documents.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The run folder to make. [default: CORPUS's name]"
)
@click.option("--resume", "resumed", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a run folder.")
@click.option("--from", "base", metavar="RUN", type=click.Path(path_type=Path), help="Fine-tune the network of RUN.")
@click.option("--words-of", metavar="RUN", type=click.Path(path_type=Path), help="Use the vocabulary of RUN.")
@click.option(
    "--validation", metavar="FILE", multiple=True, help="Hold out these documents, in place of a share of CORPUS."
)
@click.option("--minutes", type=float, help="Take fewer epochs if all would take longer than this.")
@click.option("--sample-every", metavar="EPOCHS", type=click.IntRange(min=1), help="Write a text this often.")
@click.option("--texts/--no-texts", default=True, help="Say at the end what texts are like. [default: --texts]")
@click.option("--smaller", is_flag=True, help="Drop the optimizer's state at the end: half the size.")
@click.option("--tensorboard", is_flag=True, help="Write RUN/tensorboard.")
def command(
    corpus: tuple[str, ...],
    reader: str | None,
    recipe_name: str,
    assignments: tuple[str, ...],
    label_columns: tuple[str, ...],
    labels: dict[str, str],
    output: Path | None,
    resumed: Path | None,
    base: Path | None,
    words_of: Path | None,
    validation: tuple[str, ...],
    minutes: float | None,
    sample_every: int | None,
    texts: bool,
    smaller: bool,
    tensorboard: bool,
) -> None:
    """Train a model on CORPUS (files, folders, globs; "-" for standard input) and leave a run folder.

    Files of another kind than plain text are recognised; --reader names how they are read. Options of the reader are
    set like any other: --reader csv --set column=title --set encoding=cp1252. Several readers are mixed, with
    weights, as jsonl,field=title,weight=2::a.jsonl poems.txt.

    --from RUN trains the network of another run further, on a new corpus, with that run's recipe;
    --set freeze=embedding leaves a layer as it is, --set extend_vocabulary=500 adds new words.
    """
    from genrun.contracts.options import parse_assignments
    from genrun_core.backend import spare_memory
    from genrun_core.runs.naming import default_run_folder
    from genrun_core.training.watch import Watch

    spare_memory()
    overrides = parse_assignments(assignments) | reader_options(label_columns, labels)
    watch = Watch(sample_every or 0, tensorboard)
    chosen = click.get_current_context().get_parameter_source("recipe_name") is not ParameterSource.DEFAULT
    if resumed is not None:
        if corpus or output or reader or chosen or base or words_of or validation:
            raise click.UsageError(_ONLY_EPOCHS)
        run = _resume(resumed, _epochs(overrides), minutes, watch)
    else:
        if not corpus:
            raise click.UsageError("name a CORPUS; or --resume RUN")
        if base and (chosen or words_of):
            raise click.UsageError("--from goes on with the run's recipe and words: no --recipe, no --words-of")
        output = output or default_run_folder(corpus)
        guessed = _recipe(corpus, recipe_name, overrides, reader, base, words_of)
        given = {"base": base, "words_of": words_of, "validation": validation, "minutes": minutes, "watch": watch}
        run = _begin(guessed, output, given)
    _finish(run, texts=texts, smaller=smaller)


def _resume(folder: Path, epochs: int | None, minutes: float | None, watch: Watch) -> RunFolder:
    """Go on with a run folder."""
    from genrun_core.training.train import resume

    with going_on(folder), showing_log():
        return resume(folder, epochs=epochs, minutes=minutes, say=say, watch=watch)


def _begin(guessed: GuessedRecipe, output: Path, given: dict[str, Any]) -> RunFolder:
    """Make a run folder; ``given``: further arguments of :func:`genrun_core.training.train.train`."""
    from genrun_core.training.train import train

    recipe, corpus, note = guessed
    if note:
        say(note)
    with going_on(output), showing_log():
        return train(corpus, recipe, output, say=say, **given)


def _finish(run: RunFolder, *, texts: bool, smaller: bool) -> None:
    """Do what is wanted of a finished run, and say what to type next."""
    from genrun_core.evaluation.text_look import forget_judgement, judge_texts
    from genrun_core.runs.naming import default_model_file
    from genrun_core.runs.run_lock import training_lock
    from genrun_core.training.workers import this_worker

    if smaller and run.checkpoint_file.exists():
        from genrun_core.training.saving.checkpoint import drop_optimizer

        with training_lock(run.path, say):
            drop_optimizer(run.checkpoint_file)
    if this_worker().is_chief:
        if not texts:
            forget_judgement(run)
        for line in judge_texts(run) if texts else ():
            say(line)
    show(str(run.path))
    say_next("genrun", "export", run.path, "-o", default_model_file(run.path))


def _recipe(
    corpus: tuple[str, ...],
    name: str,
    overrides: dict[str, str],
    reader: str | None,
    base: Path | None,
    words_of: Path | None,
) -> GuessedRecipe:
    from genrun.errors import OptionError
    from genrun_core.corpus.guessed import GuessedRecipe, guessed_recipe
    from genrun_core.recipes.recipe import load_recipe, override_recipe
    from genrun_core.runs.run_folder import RunFolder
    from genrun_core.training.finetuning import tuning_recipe

    if base is not None:
        return GuessedRecipe(override_recipe(tuning_recipe(RunFolder.open(base)), overrides, reader), corpus)
    guessed = guessed_recipe(corpus, name, overrides, reader)
    if words_of is not None and guessed.recipe.tokenizer != load_recipe(name).tokenizer:
        raise OptionError(f"the words of {words_of} come with their tokenizer: no option of it can be set")
    return guessed


def _epochs(overrides: dict[str, str]) -> int | None:
    """Return the number of epochs that a training goes on to; raises UsageError for any other option."""
    from genrun.contracts.options import convert

    values = {key.removeprefix("training."): value for key, value in overrides.items()}
    if set(values) - {"epochs"}:
        raise click.UsageError(_ONLY_EPOCHS)
    epochs: int | None = convert(values["epochs"], int, what="epochs") if values else None
    return epochs
