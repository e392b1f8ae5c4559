"""The settings of an open model: what its calls may choose, and what is taken from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genrun.contracts import Decoder
from genrun.generating.searching.choices import search_of
from genrun.generating.settings import GenerationSettings, resolve_settings
from genrun.generating.stepping.open_model import OpenModel
from genrun.tokenizer.labels import check_labels

__all__ = ["ConfigurableModel"]


class ConfigurableModel(OpenModel):
    """An open model whose defaults can be overridden."""

    def settings(
        self,
        *,
        max_new_tokens: int | None = None,
        decoder: str | Decoder | Sequence[object] | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] = (),
        casing: str | None = None,
        beam: int | None = None,
        length_penalty: float | None = None,
        distinct: bool = False,
        spread: bool = False,
        constraint: object = None,
        particles: int | None = None,
        max_copied: int | None = None,
        labels: Mapping[str, str] | None = None,
        **options: object,
    ) -> GenerationSettings:
        """Return checked settings for :meth:`generate` and the others; what is None is taken from the model.

        ``decoder``: a name with its ``options`` (``k=40``, ``temperature=0.8``), a chain as text
        (``"min-p:0.05,temperature:0.8"``), an object, or a list of objects. ``top_k`` and ``top_p`` are options of
        the decoders or stages of these names, which take the place of the model's own decoder if it has no such
        stage. ``seed``: None draws a fresh one. ``stop``: one or more texts that end the continuation. ``casing``:
        none, corpus, title, sentence or upper. ``beam``, ``distinct`` and ``spread`` find the texts of a prompt
        together: the likeliest, with a beam of this width, by log-probability / tokens ** ``length_penalty``;
        different ones; evenly spread ones. ``constraint``: what the whole text must meet, as text
        (``"words:6,never:storm"``), an object, or a list of these; with more ``particles`` (32; for long texts 16) it
        comes closer to the exact distribution. ``max_copied``: the most words in a row that a text may copy from the
        training text, 0 for any number. ``labels``: values of the model's labels, ``{"section": "Opinion"}``; those
        left out, and empty ones, are no condition. Numbers are numbers, not text. Raises OptionError,
        UnknownPluginError or PluginError.
        """
        self.tokenizer.labels.ids(check_labels(labels))
        return resolve_settings(
            self.defaults,
            decoder=decoder,
            options=options,
            max_new_tokens=max_new_tokens,
            seed=seed,
            stop=stop,
            casing=casing,
            search=search_of(beam=beam, length_penalty=length_penalty, distinct=distinct, spread=spread),
            constraint=constraint,
            particles=particles,
            max_copied=max_copied,
            labels=labels,
            from_text=False,
        )
