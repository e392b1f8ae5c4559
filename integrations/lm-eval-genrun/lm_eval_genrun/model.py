"""A genrun model file as a model of lm-eval."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

import genrun
from genrun import OptionError
from lm_eval_genrun.likelihood import Likelihood

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

__all__ = ["GenrunLM"]

_BATCH_SIZE = 64
_DEFAULT_DEVICE = "cuda:0"
_MAX_NEW_TOKENS = 256
_log = logging.getLogger(__name__)


@register_model("genrun")
class GenrunLM(LM):  # type: ignore[misc]  # lm-eval is not typed
    """A model file: ``--model genrun --model_args path=FILE``.

    ``path``: the model file. ``seed``: of sampled texts. ``device``: as of ``genrun.load``; ``cuda:0``, which
    lm-eval passes where none is named, is ``auto``.
    ``batch_size``: how many texts take a step together; ``auto`` is 64. Raises genrun's errors.
    """

    def __init__(
        self,
        path: str,
        seed: int = 0,
        device: str | None = None,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.model = genrun.load(path, device="auto" if device in (None, _DEFAULT_DEVICE) else device)
        self._seed = seed
        automatic = batch_size is None or str(batch_size).startswith("auto")
        self.batch_size = max_batch_size or _BATCH_SIZE if automatic else int(batch_size or 0)

    def loglikelihood(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Return for each pair of context and continuation the log-likelihood, and whether greedy decoding writes it.

        The tokens of the continuation are those of both texts together behind what the context alone begins with.
        Unknown words count as the unknown token; a model without one never writes them, so that is minus infinity. A
        model without a start does not predict the first word of a text.
        """
        pairs = [request.args for request in requests]
        wholes = [self._encoded(context + continuation) for context, continuation in pairs]
        contexts = [self._encoded(context) for context, _ in pairs]
        shared = [_shared(context.ids, whole.ids) for context, whole in zip(contexts, wholes, strict=True)]
        longest = max((len(whole.ids) - begin for begin, whole in zip(shared, wholes, strict=True)), default=0)
        greedy = self._greedy({context: ids.ids for (context, _), ids in zip(pairs, contexts, strict=True)}, longest)
        scores = self.model.score_each([context + rest for context, rest in pairs], batch_size=self.batch_size)
        answers = list[tuple[float, bool]]()
        for pair, whole, context, begin, score in zip(pairs, wholes, contexts, shared, scores, strict=True):
            logs = score.token_log_probabilities[max(begin - 1, 0) : len(whole.ids) - 1]
            likelihood = Likelihood(math.fsum(logs), len(logs))
            if not self._has_unknown and whole.unknown > context.unknown:
                likelihood = Likelihood(-math.inf, len(logs))
            written = begin == len(context.ids) and greedy[pair[0]][: len(whole.ids) - begin] == whole.ids[begin:]
            answers.append((likelihood, bool(written and len(whole.ids) > begin)))
            self.cache_hook.add_partial("loglikelihood", pair, answers[-1])
        return answers

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[float]:
        """Return the log-likelihood of each text as a whole document, its end included, as ``genrun evaluate`` does.

        Words that a model without an unknown token does not know are left out; a warning says how many.
        """
        texts = [request.args[0] for request in requests]
        found = list[float]()
        unknown = 0
        for request, score in zip(requests, self.model.score_each(texts, batch_size=self.batch_size), strict=True):
            found.append(Likelihood(score.log_probability, score.tokens))
            unknown += 0 if self._has_unknown else len(score.unknown)
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, found[-1])
        if unknown:
            _log.warning(
                "%s words outside the vocabulary are left out: the model has no unknown token", f"{unknown:,}"
            )
        return found

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """Return the continuation of each context, up to the first text of ``until``.

        Greedy, unless ``do_sample`` is set: then by ``temperature``, ``top_k`` and ``top_p``, or by the model's own
        decoder if none of them is. Equal requests get different samples of one seed.
        """
        groups = defaultdict[str, list[int]](list)
        for number, request in enumerate(requests):
            groups[json.dumps(request.args[1], sort_keys=True)].append(number)
        texts = [""] * len(requests)
        for options, numbers in groups.items():
            contexts = [requests[number].args[0] for number in numbers]
            for number, text in zip(numbers, self._generated(contexts, json.loads(options)), strict=True):
                texts[number] = text
                self.cache_hook.add_partial("generate_until", requests[number].args, text)
        return texts

    def get_model_info(self) -> dict[str, Any]:
        """Return what stands beside the results."""
        return {"model_digest": self.model.digest, "genrun_version": genrun.__version__}

    @property
    def _has_unknown(self) -> bool:
        return self.model.tokenizer.special("unk") is not None

    def _encoded(self, text: str) -> _Tokens:
        """Return the tokens of the beginning of a document, with its start."""
        tokenizer = self.model.tokenizer
        encoding = tokenizer.encode_document(tokenizer.without_start(text))
        ends = encoding.ids[-1:] == (tokenizer.special("end"),)
        return _Tokens(encoding.ids[:-1] if ends else encoding.ids, len(encoding.unknown))

    def _greedy(self, contexts: Mapping[str, Sequence[int]], count: int) -> dict[str, tuple[int, ...]]:
        """Return ``count`` greedy tokens after each context; none after one without a token to begin from."""
        texts = [text for text, ids in contexts.items() if ids]
        if not count:
            return dict.fromkeys(contexts, ())
        results = self.model.generate_many(
            texts, decoder="greedy", max_new_tokens=count, max_copied=0, batch_size=self.batch_size
        )
        return dict.fromkeys(contexts, ()) | {text: result.ids for text, result in zip(texts, results, strict=True)}

    def _generated(self, contexts: Sequence[str], options: Mapping[str, Any]) -> list[str]:
        until = options.get("until") or ()
        results = self.model.generate_many(
            list(dict.fromkeys(contexts)),
            n=max(Counter(contexts).values()),
            batch_size=self.batch_size,
            seed=self._seed,
            stop=[text for text in ([until] if isinstance(until, str) else until) if text],
            max_new_tokens=int(options.get("max_gen_toks") or _MAX_NEW_TOKENS),
            decoder=_decoder(options),
        )
        found = defaultdict[str, list[str]](list)
        for result in results:
            found[result.prompt].append(result.continuation)
        return [found[context].pop(0) for context in contexts]


class _Tokens(NamedTuple):
    """The tokens of a text, and how many of its words are ``unknown``."""

    ids: tuple[int, ...]
    unknown: int


def _shared(context: Sequence[int], whole: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    pairs = enumerate(zip(context, whole, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(context), len(whole)))


def _decoder(options: Mapping[str, Any]) -> str | None:
    """Return the decoder of generation options, as text.

    >>> _decoder({"do_sample": False, "temperature": 0.7})
    'greedy'
    >>> _decoder({"do_sample": True, "temperature": 0.7, "top_p": 0.9})
    'temperature:0.7,top-p:0.9'
    """
    if not options.get("do_sample", False):
        return "greedy"
    stages = {"temperature": "temperature", "top_k": "top-k", "top_p": "top-p"}
    chosen = [f"{stage}:{options[name]}" for name, stage in stages.items() if options.get(name)]
    if options.get("temperature") == 0:
        raise OptionError("do_sample needs a temperature above 0")
    return ",".join(chosen) or None
