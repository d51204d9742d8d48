"""Spark as an engine: the same tables as DuckDB makes, lazily, in a real session on the loopback interface."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lifestage as ls
from lifestage.core.errors import DataError
from tests.data.messy import messy_log

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("pyspark", reason="the extra for Spark is not installed")
pytestmark = [
    pytest.mark.slow,  # a session alone takes half a minute
    pytest.mark.skipif(
        shutil.which("java") is None and "JAVA_HOME" not in os.environ,
        reason="no Java is installed (java not found)",
    ),
]
ROLES: dict[str, Any] = {
    "customer": "customer",
    "time": "placed",
    "amount": "price",
    "quantity": "pieces",
    "order": "order",
    "channel": "channel",
}


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "2g",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("lifestage")
    for name, value in settings.items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    yield found
    found.stop()


def rows(frame: Any, by: str = "customer_id") -> pd.DataFrame:
    """Any engine's table in the same order and types."""
    table = frame.toArrow() if hasattr(frame, "toArrow") else frame.to_arrow_table()
    return duckdb.from_arrow(table).df().sort_values(by, ignore_index=True)


def assert_same(spark: Any, duck: Any) -> None:
    pd.testing.assert_frame_equal(rows(spark), rows(duck), check_dtype=False, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def log() -> pa.Table:
    return messy_log(3000, seed=5)


@pytest.fixture(scope="module")
def bases(session: Any, log: pa.Table) -> tuple[ls.Summary, ls.Summary]:
    """One messy log summarised by Spark and by DuckDB."""
    options = {**ROLES, "until": "2024-09-30"}
    return ls.summarize(session.createDataFrame(log), **options), ls.summarize(
        duckdb.from_arrow(log), **options
    )


def test_a_messy_log_is_summarised_alike(bases: tuple[ls.Summary, ls.Summary]) -> None:
    spark, duck = bases
    assert type(spark.table).__module__.startswith("pyspark.sql")
    assert spark.quality == duck.quality
    assert spark.quality is not None
    assert len(spark.quality.dropped) >= 5
    assert spark.gaps == duck.gaps
    assert repr(spark) == repr(duck)
    for name in ("calendar", "holdout", "channels"):
        pd.testing.assert_frame_equal(
            getattr(spark, name), getattr(duck, name), check_dtype=False, rtol=1e-9
        )
    assert_same(spark.table, duck.table)


def test_scores_and_stages_are_lazy_and_alike(bases: tuple[ls.Summary, ls.Summary]) -> None:
    spark, duck = bases
    model, other = ls.fit(spark), ls.fit(duck)
    np.testing.assert_allclose(model.params["estimate"], other.params["estimate"], rtol=1e-9)
    staged = ls.assign_stages(other.predict(spark))
    assert type(staged).__module__.startswith("pyspark.sql")
    assert_same(staged, ls.assign_stages(other.predict(duck)))


def test_times_of_every_kind_are_cut_alike(session: Any) -> None:
    instants = pd.to_datetime(
        ["2024-03-30 22:30:00", "2024-03-31 23:30:00", "2024-10-27 00:30:00", "2024-10-27 23:59:59"]
    )
    table = pd.DataFrame(
        {"customer_id": list("aabb"), "date": instants.tz_localize("UTC"), "amount": 1.0}
    )
    for zone in ("UTC", "Europe/London", "Asia/Taipei", "America/New_York"):
        spark = ls.summarize(
            session.createDataFrame(pa.Table.from_pandas(table)), tz=zone, stage_window=1
        )
        assert_same(spark.table, ls.summarize(duckdb.from_df(table), tz=zone, stage_window=1).table)
    for texts in (
        ["2024-01-05", "2024-01-31 23:59:59", "2024-03-01T00:00:00", "2024-03-02 10:00"],
        ["31/01/2024", "1/2/2024 10:00", "15/03/2024", "16/03/2024 11:22:33"],
        ["1/31/2024 3:04 PM", "2/1/2024 12:00 AM", "3/15/2024", "3/16/2024"],
        ["20240131", "20240201T101112", "1.2.2024", "03.02.2024 10:00:00"],
        ["5-Jan-2024", "06 Jan 2024", "January 7, 2024", "Feb 8, 2024"],
        [
            "2024-01-05T10:00:00Z",
            "2024-01-05 23:30:00+00:00",
            "2024-01-06T01:00:00+0200",
            "2024-03-06 01:00:00-05",
        ],
    ):
        words = pa.table(
            {"customer_id": list("aabb"), "date": texts, "amount": ["1", " 2.5 ", "1e1", ".5"]}
        )
        options: dict[str, Any] = {
            "stage_window": 1,
            "tz": "Asia/Taipei" if "Z" in texts[0] else None,
        }
        spark, duck = (
            ls.summarize(each, **options)
            for each in (session.createDataFrame(words), duckdb.from_arrow(words))
        )
        assert spark.quality == duck.quality, texts
        assert_same(spark.table, duck.table)


def test_bad_input_is_told_in_a_sentence(session: Any) -> None:
    frame = session.createDataFrame(
        pa.table({"customer_id": ["a"], "date": ["2024-01-05"], "amount": [True]})
    )
    with pytest.raises(DataError, match="expected numbers in column 'amount'; got boolean"):
        ls.summarize(frame)
    with pytest.raises(DataError, match="expected the column 'cash'"):
        ls.summarize(frame, amount="cash")
    with pytest.raises(DataError, match="no order to number them by"):
        ls.Summary.from_frame(
            session.createDataFrame(pa.table({"frequency": [0], "recency": [0.0], "T": [9.0]})),
            period="day",
        )


def test_a_million_lines_of_a_simulated_shop_are_alike(session: Any) -> None:
    log = messy_log(180_000, seed=6)
    assert log.num_rows > 1_000_000
    options = {**ROLES, "until": "2024-09-30"}
    spark, duck = (
        ls.summarize(session.createDataFrame(log), **options),
        ls.summarize(duckdb.from_arrow(log), **options),
    )
    assert spark.quality == duck.quality
    model = ls.fit(duck)
    assert_same(ls.assign_stages(model.predict(spark)), ls.assign_stages(model.predict(duck)))
