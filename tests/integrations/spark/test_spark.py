"""Texts by Spark on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrun.errors import OptionError
from genrun.integrations.job import text_job
from genrun.integrations.spark import spark_texts
from genrun.integrations.table_form import TableOptions
from support.batches import assert_complete
from support.counted_file import prompts_for

PROMPTS = 100_000

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(1200)]  # Spark's own warnings; 100,000 rows


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("needs Java, which is not installed: apt-get install default-jre-headless")
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    paths = [path for path in sys.path if path]
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.executorEnv.PYTHONPATH", os.pathsep.join(paths))
    session = builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()
    yield session
    session.stop()


def test_a_hundred_thousand_rows_are_those_of_generate_many(
    spark: Any, model: Path, samples: Path, tmp_path: Path
) -> None:
    prompts = prompts_for(samples, PROMPTS)
    pq.write_table(pa.table({"number": range(PROMPTS), "prompt": prompts}), tmp_path / "prompts.parquet")
    frame = spark.read.parquet(str(tmp_path / "prompts.parquet")).repartition(8)
    spark_texts(frame, text_job(model, seed=11)).write.parquet(str(tmp_path / "texts"))
    assert_complete(pq.read_table(tmp_path / "texts"), model, prompts, seed=11)


def test_bad_rows_keep_their_place_and_samples_repeat_the_others(spark: Any, model: Path) -> None:
    frame = spark.createDataFrame([(1, "the council"), (2, None)], "number int, prompt string")
    rows = spark_texts(frame, text_job(model, TableOptions(n=2), seed=1)).orderBy("number", "sample").collect()
    assert [(row.number, row.sample, row.error) for row in rows] == [
        (1, 0, None),
        (1, 1, None),
        (2, None, "the prompt is null"),
    ]


def test_a_missing_column_is_an_error_before_anything_runs(spark: Any, model: Path) -> None:
    frame = spark.createDataFrame([(1, "the council")], "number int, title string")
    with pytest.raises(OptionError, match="no column 'prompt' of prompts; accepted: number, title"):
        spark_texts(frame, text_job(model, seed=1))
