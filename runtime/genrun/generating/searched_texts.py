"""One call's texts that a search finds, from requests to finished ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from genrun.contracts import Decoder
from genrun.generating.requests import Request
from genrun.generating.searching.branch import Prompt, Written
from genrun.generating.searching.growth import Limits
from genrun.generating.searching.methods import Beam, Search, stages_of
from genrun.generating.searching.searcher import Searcher
from genrun.generating.settings import GenerationSettings
from genrun.generating.stepping.session import StepSession
from genrun.generating.text_stream import TextStream
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.tokenizer import Encoding

__all__ = ["SearchedTexts"]


class SearchedTexts:
    """Finds the texts of each prompt together, one prompt after another."""

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        defaults: GenerationDefaults,
        settings: GenerationSettings,
        search: Search,
    ) -> None:
        limits = Limits(
            defaults.stop_ids, defaults.suppressed_ids, settings.max_new_tokens, settings.seed, bool(settings.stops)
        )
        self._search = search
        self._searcher = Searcher(session, stages_of(decoder, search), limits, search)

    def results(
        self,
        firsts: Iterable[Request],
        n: int,
        *,
        again: Callable[[str, Encoding, int], Request],
        stream: Callable[[Request], TextStream],
    ) -> Iterator[Request]:
        """Yield finished requests, at most ``n`` for each of ``firsts``, the first request of each prompt.

        ``again``: makes the request of another sample; ``stream``: makes the text of a request.
        """
        for first in firsts:
            begun = time.perf_counter()
            found = self._searcher.find(_begun(first, stream), n)
            finished = time.perf_counter()
            for sample, branch in enumerate(found):
                request = again(first.prompt, first.encoding, sample)
                row = request.row
                row.admitted, row.finished, row.new_ids = begun, finished, list(branch.ids)
                row.finish_reason, row.log_probability = branch.finish_reason, branch.log_probability
                row.probability = None if isinstance(self._search, Beam) else math.exp(branch.drawn)
                yield request


def _begun(request: Request, stream: Callable[[Request], TextStream]) -> Prompt:
    """Return what a search for ``request`` begins from."""

    def write(new_ids: Sequence[int]) -> Written:
        text = stream(request)
        return Written(text.extend(new_ids), text.stopped)

    row = request.row
    return Prompt(row.prompt_ids, request.encoding.ids, row.from_nothing, row.open_prompt, write)
