"""``genrun report``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genrun.cli.options.decoder import DecoderOptions, decoder_options
from genrun.cli.options.label import label_option
from genrun.cli.options.opening import OpeningOptions, opening_options

if TYPE_CHECKING:
    from genrun.contracts import Decoder
    from genrun.generating.settings import GenerationSettings
    from genrun.model import Model
    from genrun_core.recipes.sections import PluginChoice
    from genrun_core.reporting.report import Report

__all__ = ["command"]


@click.command("report")
@click.argument("model_file", metavar="MODEL", type=str)
@click.argument("corpus", nargs=-1, required=True)
@click.option("--training", metavar="CORPUS", multiple=True, help="What MODEL was trained on, to find copies of it.")
@click.option("--reader", default="text", show_default=True, help="How both are read (see genrun plugins).")
@click.option("--count", type=click.IntRange(1), default=3000, show_default=True, help="How many texts.")
@decoder_options
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same report.")
@label_option("Texts of this kind, beside the documents of CORPUS that have this label.")
@opening_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--plot", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Draw a PNG as well.")
def command(
    model_file: str,
    corpus: tuple[str, ...],
    training: tuple[str, ...],
    reader: str,
    count: int,
    choosing: DecoderOptions,
    seed: int,
    labels: dict[str, str],
    opening: OpeningOptions,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Report what the texts of MODEL are like beside CORPUS, documents that it was not trained on.

    The texts are generated from nothing, by the model's own decoder unless --decoder names another. --set is for the
    reader as well: --reader csv --set column=title. Where reader and decoder have options of the same name, write
    --set reader.NAME=VALUE or --set decoder.NAME=VALUE.
    """
    from genrun.cli.io.output import say, show, show_json
    from genrun_core.cli.going_on import say_next
    from genrun_core.reporting.advice import advice, main_line, table
    from genrun_core.reporting.model_report import draws_from_all, is_counted
    from genrun_core.reporting.plot import check_plot, draw_report

    if plot is not None:
        check_plot(plot)
    model = opening.load(model_file)
    choosing, chosen = _parted(choosing, reader, model)
    settings = choosing.settings(model, seed=seed, labels=labels)
    decoder, options = _named(choosing, model, settings.decoder), _options(settings.decoder)
    shown = ", ".join(f"{name}={value}" for name, value in options.items())
    say(f"{decoder}{f' ({shown})' if shown else ''}, seed {settings.seed}, on {model.device}")
    report = _report(model, settings, corpus, training, chosen, count)
    if as_json:
        show_json({"decoder": decoder, "options": options, "seed": settings.seed, **report.to_json()})
    else:
        remedies = advice(report, from_all=draws_from_all(settings.decoder), counted=is_counted(model))
        show(main_line(report), *table(report), *remedies)
        say_next("genrun", "generate", model_file)
    if plot is not None:
        draw_report(report, plot)


def _report(
    model: Model,
    settings: GenerationSettings,
    corpus: tuple[str, ...],
    training: tuple[str, ...],
    reader: PluginChoice,
    count: int,
) -> Report:
    from genrun.cli.io.progress import Progress
    from genrun_core.reporting.model_report import report_model

    with Progress(count) as progress:
        return report_model(
            model,
            settings,
            corpus,
            training=training,
            reader=reader,
            count=count,
            advance=lambda result: progress.advance(len(result.ids)),
        )


def _parted(choosing: DecoderOptions, reader: str, model: Model) -> tuple[DecoderOptions, PluginChoice]:
    """Return the decoder and the reader, each with those values of ``--set`` that are its own."""
    from genrun import registry
    from genrun.contracts.options import parse_assignments
    from genrun.errors import OptionError, nearest
    from genrun_core.recipes.sections import PluginChoice

    values = {"reader": dict[str, str](), "decoder": dict[str, str]()}
    names = {"reader": reader, "decoder": _decoder(choosing, model)}
    known = (
        {
            kind: (registry.option_names(kind, name) if kind == "reader" else registry.decoder_options(name))
            for kind, name in names.items()
        }
        if choosing.assignments
        else {}
    )
    for key, value in parse_assignments(choosing.assignments).items():
        kind, point, name = key.partition(".")
        if point and kind in values:
            values[kind][name] = value
            continue
        owners = [kind for kind in values if key in known[kind]]
        if len(owners) != 1:
            both = " and ".join(f"{kind} {name!r}" for kind, name in names.items())
            if owners:
                raise OptionError(f"{both} have an option {key!r}: --set reader.{key}=… or --set decoder.{key}=…")
            hint = nearest(key, {*known["reader"], *known["decoder"]})
            raise OptionError(f"{both} have no option {key!r}; {hint}")
        values[owners[0]][key] = value
    assignments = tuple(f"{key}={value}" for key, value in values["decoder"].items())
    return dataclasses.replace(choosing, assignments=assignments), PluginChoice(reader, values["reader"])


def _options(decoder: Decoder) -> dict[str, object]:
    """Return the options of ``decoder``; those of a chain are a part of its text."""
    from genrun.contracts.options import to_json
    from genrun.sampling import Chain

    return {} if isinstance(decoder, Chain) else to_json(decoder)


def _named(choosing: DecoderOptions, model: Model, decoder: Decoder) -> str:
    """Return the name of the decoder that writes the texts; of a chain, its text with all options."""
    from genrun.registry import chain_json, chain_text
    from genrun.sampling import Chain

    return chain_text(chain_json(decoder)) if isinstance(decoder, Chain) else _decoder(choosing, model)


def _decoder(choosing: DecoderOptions, model: Model) -> str:
    return choosing.decoder or model.defaults.decoder
