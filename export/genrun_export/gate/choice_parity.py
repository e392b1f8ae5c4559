"""The gate's second half: what the graph chooses must be what the built-in decoders choose from its logits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from genrun import registry
from genrun.contracts import Decoder
from genrun.errors import ExportError
from genrun.generating.batch import Batch
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.draws import Draws
from genrun.generating.row import Row
from genrun.generating.scheduling import generate_rows
from genrun.generating.stepping.session import StepSession

__all__ = ["DECODERS", "check_choices"]

DECODERS = ("greedy", "top-k", "temperature")
_WAYS: tuple[ChooseWith, ...] = ("decoder", "graph")
LOG_TOLERANCE = 1e-4  # between float32 and float64, for each token


def check_choices(
    session: StepSession,
    prompts: Sequence[Sequence[int]],
    *,
    count: int,
    batch_sizes: Sequence[int],
    suppressed_ids: Sequence[int],
) -> None:
    """Continue ``prompts`` by ``count`` tokens with each of DECODERS, in the graph and from its logits.

    Both get the same random draws. Raises ExportError unless all tokens are the same and their log-probabilities
    agree within LOG_TOLERANCE.
    """
    if not session.chooses:
        raise ExportError("refused: the graph has lost the nodes that choose")
    for name in DECODERS:
        decoder = registry.make_decoder(name, {})
        for size in batch_sizes:
            wanted, found = (
                _continued(session, decoder, prompts, count, size, suppressed_ids, choose_with=choose_with)
                for choose_with in _WAYS
            )
            for first, second in zip(wanted, found, strict=True):
                if first.new_ids != second.new_ids:
                    raise ExportError(
                        f"refused: at batch {size} the graph chooses other tokens than decoder {name!r}: "
                        f"{second.new_ids}, not {first.new_ids}"
                    )
                difference = abs(first.log_probability - second.log_probability)
                if not difference <= count * LOG_TOLERANCE:  # also when it is not a number
                    raise ExportError(
                        f"refused: at batch {size} the graph's log-probabilities are off by {difference:.2g}"
                    )


def _continued(
    session: StepSession,
    decoder: Decoder,
    prompts: Sequence[Sequence[int]],
    count: int,
    batch_size: int,
    suppressed_ids: Sequence[int],
    *,
    choose_with: ChooseWith,
) -> list[Row]:
    rows = [Row(ids, Draws(0, sample, ids), count) for sample, ids in enumerate(prompts)]
    waiting = iter(rows)
    batch = Batch(
        session,
        decoder,
        size=batch_size,
        suppressed_ids=suppressed_ids,
        log_probabilities=True,
        choose_with=choose_with,
    )
    for _ in generate_rows([batch], lambda free: list(islice(waiting, free))):
        pass
    return rows
