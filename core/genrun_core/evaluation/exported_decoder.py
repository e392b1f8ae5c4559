"""The decoder that a model file has as its default: that of the recipe, fitted to the corpus."""

from __future__ import annotations

import math

import numpy as np

from genrun import registry
from genrun.tokenizer import Tokenizer
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder

__all__ = ["exported_decoder"]

_RARE = (3, 2, 1)  # a word that occurs this often, or less, stands for unknown ones: the first number that fits
_SHARE = 0.1  # of all words that are trained on: if more of them are rare, a small corpus would be read out
_ENOUGH = 20  # held-out rare words that say how likely they are
_MOST = 3.0  # a bias beyond this would come from too small a corpus
_QUOTATION_MARKS = frozenset('"“”')


def exported_decoder(
    run: RunFolder, recipe: Recipe, tokenizer: Tokenizer, *, knows_lines: bool = False
) -> PluginChoice:
    """Return the recipe's decoder; with ``fit_decoder``, behind the stages that make texts more like the corpus.

    ``quotation`` closes quotation marks, where the vocabulary has them. ``rare`` gives what the held-out documents
    have of unknown words to rare words, so that frequent words and the end do not become more likely instead: the
    bias is log((unknown + rare) / rare), where both are numbers of held-out tokens. It is for networks, which know
    where a rare word fits, and for corpora that are large enough. ``no-copied-line`` has a text go on where it is a
    document of the training text, if a document ends a text and the file ``knows_lines``. A text of characters goes
    on only where the model is not sure of the end: what follows the end of a name makes no name.
    """
    choice = recipe.decoder
    if not recipe.generation.fit_decoder:
        return choice
    stages: list[dict[str, object]] = []
    if any(not _QUOTATION_MARKS.isdisjoint(word) for word in tokenizer.vocabulary):
        stages.append({"name": "quotation", "options": {}})
    is_network = recipe.model.plugin.trained
    rare = _rare(run, tokenizer) if is_network and tokenizer.kind == "word" else None
    if rare is not None:
        stages.append({"name": "rare", "options": dict(zip(("from_id", "bias"), rare, strict=True))})
    end = recipe.generation.end_token
    if knows_lines and (end == "stop" or (end == "auto" and not recipe.training.running_text)):
        always = {} if tokenizer.kind == "char" else {"certain": 1.0}
        stages.append({"name": "no-copied-line", "options": always})
    if not stages:
        return choice
    own = registry.chain_json(registry.make_decoder(choice.name, choice.options))
    return PluginChoice(registry.chain_text([*stages, *own]))


def _rare(run: RunFolder, tokenizer: Tokenizer) -> tuple[int, float] | None:
    """Return the id of the first rare word, after which there are no others, and the bias; None for no bias."""
    unknown = tokenizer.special("unk")
    if unknown is None:
        return None
    shards = run.shards(tokenizer)
    trained, held_out = (shards.frequencies(len(tokenizer), part) for part in (shards.trained_on, shards.held_out))
    firsts = (max(int(np.flatnonzero(trained > most).max(initial=-1)) + 1, len(tokenizer.specials)) for most in _RARE)
    words = trained[len(tokenizer.specials) :].sum()
    first = next((id_ for id_ in firsts if trained[id_:].sum() <= _SHARE * words), None)
    if first is None:
        return None
    rare, new = int(held_out[first:].sum()), int(held_out[unknown])
    if rare < _ENOUGH or not new:
        return None
    return first, round(min(math.log((new + rare) / rare), _MOST), 4)
