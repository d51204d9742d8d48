"""Spark Connect: the same tables through a client that holds no JVM, in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="the extra for Spark is not installed")
pytest.importorskip(
    "grpc_status", reason="what Spark Connect needs is not installed (pyspark[connect])"
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("java") is None and "JAVA_HOME" not in os.environ,
        reason="no Java is installed (java not found)",
    ),
]

SCRIPT = """
import duckdb, pandas as pd
from pyspark.sql import SparkSession
import lifestage as ls
from tests.data.messy import messy_log

settings = {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "1"}
builder = SparkSession.builder.remote("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
log = messy_log(800, seed=5)
options = dict(customer="customer", time="placed", amount="price", quantity="pieces", order="order", until="2024-09-30")
frame = session.createDataFrame(log)
assert "connect" in type(frame).__module__
spark, duck = ls.summarize(frame, **options), ls.summarize(duckdb.from_arrow(log), **options)
assert spark.quality == duck.quality
model = ls.fit(duck)
staged = ls.assign_stages(model.predict(spark))
assert "connect" in type(staged).__module__
tables = [duckdb.from_arrow(staged.toArrow()).df(), ls.assign_stages(model.predict(duck)).df()]
ordered = [table.sort_values("customer_id", ignore_index=True) for table in tables]
pd.testing.assert_frame_equal(*ordered, check_dtype=False, rtol=1e-9, atol=1e-12)
session.stop()
print("the same")
"""


def test_connect_gives_the_tables_of_duckdb() -> None:
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=Path(__file__).parents[3],
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "the same" in done.stdout
