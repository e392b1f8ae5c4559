"""A counted model as a whole file, through the light runtime: loaded, generated from, scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import genrun
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.graph.properties import with_digest
from genrun.loading.metadata import Metadata
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import TokenizerSettings, VocabularyBuilder
from genrun_core.counting import CountingModel, count_ngrams
from genrun_export.counting.step import counting_step
from genrun_export.counting.tables import make_tables
from genrun_export.graph.choosing import add_choosing
from support.counted import joined

LINES = [
    "the council votes to repair the bridge",
    "the council votes to close the ferry",
    "the ferry is late again",
    "a bridge is closed",
    "the bridge to the harbour is late",
] * 4


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[genrun.Model, CountingModel]:
    settings = TokenizerSettings(kind="word", specials=("pad", "unk", "start", "end"))
    with VocabularyBuilder(settings) as builder:
        for line in LINES:
            builder.add(line)
        tokenizer = builder.build()
    documents = [tokenizer.encode_document(line).ids for line in LINES]
    model = count_ngrams(*joined(documents), vocabulary=len(tokenizer), order=3, boundary=False)
    step = counting_step(make_tables(model))
    add_choosing(step, (0, 1, 2))
    defaults = GenerationDefaults(stop_ids=(3,), suppressed_ids=(0, 1, 2))
    for key, value in Metadata(tokenizer, defaults, {}, Verification()).to_properties().items():
        step.metadata_props.add(key=key, value=value)
    path: Path = tmp_path_factory.mktemp("counted") / "counted.onnx"
    path.write_bytes(with_digest(step.SerializeToString()))
    return genrun.load(path, device="cpu"), model


@pytest.mark.parametrize("decoder", ["greedy", "top-k", "temperature"])
def test_a_counted_model_generates_the_same_text_alone_and_in_a_batch(
    counted: tuple[genrun.Model, CountingModel], decoder: str
) -> None:
    prompts = ["the council", "a bridge", "", "the bridge to"] * 20
    together = counted[0].generate_many(prompts, seed=3, decoder=decoder)
    for prompt, result in list(zip(prompts, together, strict=True))[:4]:
        assert counted[0].generate(prompt, seed=3, decoder=decoder) == result.text


def test_a_counted_model_writes_what_it_has_counted(counted: tuple[genrun.Model, CountingModel]) -> None:
    assert counted[0].generate("the council", decoder="greedy").startswith("the council votes to")
    assert {"is", "to"} <= {suggestion.text for suggestion in counted[0].suggest("the bridge ", n=4)}


def test_a_score_is_the_counts_own(counted: tuple[genrun.Model, CountingModel]) -> None:
    loaded, model = counted
    for text in ("the ferry is closed", "late council", "the"):
        ids = loaded.tokenizer.encode_document(text).ids
        expected = model.score(*joined([ids]))
        np.testing.assert_allclose(loaded.score(text).token_log_probabilities, expected, atol=1e-5)
