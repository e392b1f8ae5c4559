"""What ``/metrics`` reports, under the names that vLLM made usual, so that its dashboards work unchanged."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from genrun.results import Result
from genrun.serving.places import Places

__all__ = ["CONTENT_TYPE_LATEST", "REASONS", "Metrics", "ModelMetrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
REASONS = {"end": "stop", "stop": "stop", "length": "length"}


class Metrics:
    """The figures of a server; each server has its own."""

    def __init__(self, places: Places, names: Iterable[str]) -> None:
        self._registry = CollectorRegistry()
        self._running = self._gauge("vllm:num_requests_running", "Texts that are being generated.")
        self._running.set_function(lambda: places.running)
        self._waiting = self._gauge("vllm:num_requests_waiting", "Texts that have a place and wait for a row.")
        self._waiting.set_function(lambda: places.waiting)
        self._prompt = self._counter("vllm:prompt_tokens", "Tokens of prompts that were read.")
        self._generated = self._counter("vllm:generation_tokens", "Tokens that were generated.")
        self._success = self._counter("vllm:request_success", "Finished texts.", "finished_reason")
        self._first = self._histogram("vllm:time_to_first_token_seconds", "To the first piece of a stream.")
        self._between = self._histogram("vllm:inter_token_latency_seconds", "Between two pieces of a stream.")
        self._whole = self._histogram("vllm:e2e_request_latency_seconds", "From the request to the finished text.")
        self._queue = self._histogram("vllm:request_queue_time_seconds", "Until the text had a row.")
        self._prompts = self._histogram("vllm:request_prompt_tokens", "Tokens of a prompt.", _COUNTS)
        self._tokens = self._histogram("vllm:request_generation_tokens", "Tokens of a text.", _COUNTS)
        self._refused = Counter("genrun:requests_refused", "By status.", ["status"], registry=self._registry)
        self._left = Counter("genrun:clients_left", "Closed before the answer was complete.", registry=self._registry)
        self.of = cache(lambda name: ModelMetrics(self, name))
        for name in names:
            self.of(name)

    def refused(self, status: int) -> None:
        """Count a request that was not accepted."""
        self._refused.labels(str(status)).inc()

    def client_left(self) -> None:
        """Count a client that did not wait for its answer."""
        self._left.inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self._registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, ["model_name", *labels], registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(name, about, ["model_name"], registry=self._registry, buckets=buckets)


class ModelMetrics:
    """The figures of one model."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        def of(metric: Any) -> Any:
            return metric.labels(name)

        self._prompt, self._generated = of(metrics._prompt), of(metrics._generated)
        self._first, self._between = of(metrics._first), of(metrics._between)
        self._whole, self._queue = of(metrics._whole), of(metrics._queue)
        self._prompts, self._tokens = of(metrics._prompts), of(metrics._tokens)
        self._success = {reason: metrics._success.labels(name, reason) for reason in ("stop", "length")}

    def queued(self, seconds: float) -> None:
        """Record how long a text waited for its row."""
        self._queue.observe(seconds)

    def token(self, begun: float, last: float) -> float:
        """Record a piece of a stream that was ``begun``; ``last`` is the time of the piece before, or 0."""
        now = time.monotonic()
        if last:
            self._between.observe(now - last)
        else:
            self._first.observe(now - begun)
        return now

    def finished(self, result: Result | None, prompt_tokens: int, seconds: float) -> None:
        """Record a finished text; None for a prompt that was only read."""
        self._prompt.inc(prompt_tokens)
        self._prompts.observe(prompt_tokens)
        self._whole.observe(seconds)
        if result is not None:
            self._generated.inc(len(result.ids))
            self._tokens.observe(len(result.ids))
            self._success[REASONS[result.finish_reason]].inc()
