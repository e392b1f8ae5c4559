"""Beginning with what another run has learnt: its words, its weights, and new words beside them."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from genrun.errors import OptionError, RunFolderError
from genrun_core.backend import prepare_backend
from genrun_core.recipes.output_sections import CardSettings
from genrun_core.recipes.plugins import fitting_decoder
from genrun_core.recipes.recipe import KIND, Recipe
from genrun_core.runs.atomic import replacing
from genrun_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import keras

__all__ = ["check_base", "keep_base", "open_base", "transfer_weights", "tuning_recipe", "with_words_of"]

_SHAPE = ("architecture", "embedding_size", "hidden_size", "layers", "tied", "window")


def open_base(base: Path | None, words_of: Path | None, recipe: Recipe) -> RunFolder | None:
    """Return the run that the new one begins with, None for none; raises OptionError if it does not fit."""
    path = base or words_of
    if path is None:
        if recipe.training.extend_vocabulary:
            raise OptionError("extend_vocabulary adds words to another run's: it needs --from RUN or --words-of RUN")
        return None
    run = RunFolder.open(path)
    tokenizer = run.tokenizer()
    if base is not None:
        check_base(run, recipe)
        prepare_backend()
        from genrun_core.network.network_file import check_network

        check_network(run.network_file, recipe.model, len(tokenizer))
    return run


def check_base(base: RunFolder, recipe: Recipe) -> None:
    """Raise OptionError if a network of ``recipe`` could not take over the weights of ``base``.

    Raises RunFolderError if ``base`` has no network yet, or a damaged one.
    """
    if not base.network_file.exists():
        raise RunFolderError(f"{base.path} has no trained network yet: genrun train --resume {base.path}")
    if recipe.tokenizer != base.recipe().tokenizer:
        raise OptionError(f"the words of {base.path} come with their tokenizer: no option of it can be set")
    theirs, ours = base.recipe().model.to_table(), recipe.model.to_table()
    for name in (*_SHAPE, *recipe.model.options):
        if theirs[name] != ours[name]:
            raise OptionError(
                f"{name}={ours[name]} cannot be: the network of {base.path} has {theirs[name]}, and fine-tuning goes "
                "on with it"
            )
    learnt = {"embedding"} if recipe.model.tied else {"embedding", "logits"}
    if recipe.training.extend_vocabulary and (frozen := learnt & set(recipe.training.freeze)):
        raise OptionError(
            f"extend_vocabulary adds words that must be learnt: do not freeze {' and '.join(sorted(frozen))}"
        )


def with_words_of(base: RunFolder, recipe: Recipe) -> Recipe:
    """Return ``recipe`` with the tokenizer settings of ``base``, whose words it takes; OptionError if they clash."""
    adapt = tuple(name for name in recipe.adapt if name != KIND)
    tokenizer = base.recipe().tokenizer
    decoder = fitting_decoder(recipe.decoder, tokenizer.kind)
    return dataclasses.replace(recipe, tokenizer=tokenizer, decoder=decoder, adapt=adapt)


def tuning_recipe(base: RunFolder) -> Recipe:
    """Return the recipe that fine-tuning ``base`` begins with: that of ``base`` itself.

    Left out are ``freeze`` and ``extend_vocabulary``, which were for another base, and the description and the card,
    which are about another text; the new card quotes them as what the run was tuned from.
    """
    recipe = base.recipe()
    training = dataclasses.replace(recipe.training, freeze=(), extend_vocabulary=0)
    return dataclasses.replace(recipe, description="", training=training, card=CardSettings())


def keep_base(base: RunFolder, run: RunFolder, *, network: bool) -> None:
    """Copy the tokenizer of ``base`` into ``run``, and its network if wanted, so that a resume finds them."""
    run.base.mkdir(exist_ok=True)
    if network:
        with replacing(run.base_network_file) as beside:
            shutil.copyfile(base.network_file, beside)
        card = base.card() if base.card_file.exists() else {}  # which a kill may have kept from being written
        run.save_json(run.base_card_file, {name: card.get(name, "") for name in ("description", "licence", "source")})
    with replacing(run.base_tokenizer_file) as beside:
        shutil.copyfile(base.tokenizer_file, beside)


def transfer_weights(base: keras.Model, network: keras.Model) -> None:
    """Give ``network`` the weights of ``base``, layer by layer; what it has beyond them stays as it is drawn.

    Only a vocabulary may have grown. The vectors of new words are as freshly drawn; they begin as unlikely as the
    least likely word that was known.
    """
    theirs = {layer.name: layer for layer in base.layers}
    for layer in network.layers:
        if layer.name not in theirs or not layer.count_params():
            continue
        old, new = theirs[layer.name].get_weights(), layer.get_weights()
        layer.set_weights([_grown(a, b) for a, b in zip(old, new, strict=True)])


def _grown(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """Return ``new`` with ``old`` in its first places along every axis."""
    grown = new.copy()
    if old.ndim == 1 and len(new) > len(old):
        grown[:] = old.min()
    grown[tuple(slice(size) for size in old.shape)] = old
    return grown
