"""The training half of genrun: corpus → tokenizer → token shards → Keras model → run folder."""

from __future__ import annotations
