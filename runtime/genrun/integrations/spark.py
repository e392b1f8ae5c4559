"""Spark: texts for the rows of a data frame, by ``mapInArrow``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrun.checks.optional_package import optional_package
from genrun.integrations.job import TextJob

if TYPE_CHECKING:
    import pyspark.sql

__all__ = ["spark_texts"]


def spark_texts(frame: pyspark.sql.DataFrame, job: TextJob) -> pyspark.sql.DataFrame:
    """Return the rows of ``frame`` with their texts, lazily; each Python worker of Spark opens the model once.

    Tasks are repeated by Spark, ``spark.task.maxFailures`` times. Raises OptionError for a frame without the column
    of prompts, MissingExtraError without Spark.
    """
    types = optional_package("pyspark.sql.pandas.types", "running on Spark", "spark")
    schema = types.from_arrow_schema(job.schema(types.to_arrow_schema(frame.schema)))
    return frame.mapInArrow(job.batches, schema)
