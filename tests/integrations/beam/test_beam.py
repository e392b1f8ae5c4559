"""Texts by Beam's runner on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference

from genrun.integrations.beam import TextHandler
from genrun.integrations.job import text_job
from genrun.integrations.table_form import TableOptions
from support.batches import assert_complete
from support.counted_file import prompts_for

PROMPTS = 100_000

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(1200)]  # Beam's own warnings; 100,000 rows


def rows_with_numbers(keyed: tuple[int, Any]) -> list[dict[str, Any]]:
    number, result = keyed
    return [{"number": number, **row} for row in result.inference]


def test_a_hundred_thousand_rows_are_those_of_generate_many(model: Path, samples: Path, tmp_path: Path) -> None:
    prompts, job = prompts_for(samples, PROMPTS), text_job(model, seed=11)
    schema = pa.schema([("number", pa.int64())])
    for field in job.schema(pa.schema([("prompt", pa.string())])):
        schema = schema.append(field)
    with beam.Pipeline() as pipeline:
        (
            pipeline
            | beam.Create(list(enumerate(prompts)))
            | RunInference(KeyedModelHandler(TextHandler(job)))
            | beam.FlatMap(rows_with_numbers)
            | beam.io.WriteToParquet(str(tmp_path / "texts"), schema, file_name_suffix=".parquet")
        )
    table = pa.concat_tables(pq.read_table(file) for file in tmp_path.glob("texts*"))
    assert_complete(table, model, prompts, seed=11)


def test_a_prompt_without_a_text_has_a_result_that_says_why(model: Path) -> None:
    handler = TextHandler(text_job(model, TableOptions(n=2), seed=1))
    both = list(handler.run_inference(["the council", None], handler.load_model()))
    assert [result.example for result in both] == ["the council", None]
    assert [[row["sample"] for row in result.inference] for result in both] == [[0, 1], [None]]
    assert both[1].inference[0]["error"] == "the prompt is null"
    assert both[0].model_id == both[0].inference[0]["model"]
