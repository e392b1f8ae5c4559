"""The options of every command that opens a model: where it runs, and whether its graph is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from genrun.cli.options.group import option_group

if TYPE_CHECKING:
    from genrun.model import Model

__all__ = ["OpeningOptions", "opening_options", "trust_option"]


class OpeningOptions(NamedTuple):
    """How to open a model; the fields are parameters of :func:`genrun.load`."""

    device: str
    threads: int | None
    trust: str

    def load(self, path: str) -> Model:
        """Open the model file at ``path``.

        Silences onnxruntime's default logger, which would print in long lines what the one-line error says. A library
        call leaves the logger alone, since it belongs to the program.
        """
        from genrun.loading.device import import_onnxruntime
        from genrun.model import load

        import_onnxruntime().set_default_logger_severity(4)
        return load(path, device=self.device, threads=self.threads, trust=self.trust)

    def load_mixed(self, path: str, mix: str | None) -> Model:
        """Open the model file at ``path``, mixed with the one of ``mix``, ``FILE:WEIGHT``; None for no mixture.

        Raises OptionError for a text of another form, a weight that is not accepted, or another vocabulary.
        """
        if mix is None:
            return self.load(path)
        file, _, number = mix.rpartition(":")
        try:
            weight = float(number)
        except ValueError:
            file = ""
        if not file:
            raise click.UsageError(f"--mix is a model file and its weight, such as other.onnx:0.3, not {mix!r}")
        return self.load(path).mixed_with(self.load(file), weight)


trust_option = click.option(
    "--trust-graph",
    "trust",
    flag_value="graph",
    default="nothing",
    help="Run a graph that genrun would refuse (see docs/model-file.md).",
)
opening_options = option_group(
    "opening",
    OpeningOptions,
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="DEVICE",
        help="auto, cpu, cuda, or onnxruntime's providers, separated by commas.",
    ),
    click.option("--threads", type=int, help="CPU threads to use. [default: all cores]"),
    trust_option,
)
